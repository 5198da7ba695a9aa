use std::time::{Duration, Instant};

use crate::events::Event;
use crate::generator::Generator;
use crate::memory;
use crate::side::{Contents, Side};

/// Events of one step.
pub(crate) const BATCH: usize = 10_000;

/// What one round tells of one side.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Speed {
    pub(crate) events_per_second: f64,
    /// By the processor time of the whole process, so that work in the background counts too.
    pub(crate) events_per_cpu_second: f64,
    /// Steps of one row on top of all events: half of them took at most so long.
    pub(crate) p50_us: f64,
    /// And 99 of 100.
    pub(crate) p99_us: f64,
}

/// Runs all events in steps of [`BATCH`], then some steps of one row that the query reads.
pub(crate) fn speed(
    side: &mut dyn Side,
    events: usize,
    small_steps: usize,
    reads: impl Fn(&Event) -> bool,
) -> Speed {
    let mut generator = Generator::new();
    let steps = steps(&mut generator, events, |step| side.prepare(step));
    let (started, started_cpu) = (Instant::now(), cpu_time());
    for _ in 0..steps {
        side.step();
    }
    let (took, took_cpu) = (started.elapsed(), cpu_time().saturating_sub(started_cpu));
    for event in generator.filter(reads).take(small_steps) {
        side.prepare(&[event]);
    }
    let mut small: Vec<Duration> = (0..small_steps)
        .map(|_| {
            let started = Instant::now();
            side.step();
            started.elapsed()
        })
        .collect();
    small.sort();
    let at = |percent: usize| small[small.len() * percent / 100].as_secs_f64() * 1e6;
    let rate = |time: Duration| events as f64 / time.as_secs_f64();
    Speed {
        events_per_second: rate(took),
        events_per_cpu_second: rate(took_cpu),
        p50_us: at(50),
        p99_us: at(99),
    }
}

/// The most bytes that are held while all events go through: state, and one step's input and output.
pub(crate) fn peak_bytes(
    start: impl FnOnce() -> Result<Box<dyn Side>, String>,
    events: usize,
) -> Result<i64, String> {
    let (outcome, bytes) = memory::peak_bytes(|| {
        let mut side = start()?;
        steps(&mut Generator::new(), events, |step| {
            side.prepare(step);
            side.step();
        });
        Ok::<_, String>(())
    });
    outcome.map(|()| bytes)
}

/// The rows that all events leave.
pub(crate) fn contents(side: &mut dyn Side, events: usize) -> Contents {
    let mut contents = Contents::default();
    steps(&mut Generator::new(), events, |step| {
        side.prepare(step);
        side.step();
        contents.apply(side.changes());
    });
    contents.drop_zeros();
    contents
}

/// Hands out the events step by step; returns the number of steps.
fn steps(generator: &mut Generator, events: usize, mut step: impl FnMut(&[Event])) -> usize {
    let mut left = events;
    let mut steps = 0;
    while left > 0 {
        let batch: Vec<Event> = generator.by_ref().take(BATCH.min(left)).collect();
        left -= batch.len();
        step(&batch);
        steps += 1;
    }
    steps
}

/// Processor time of all threads of this process.
fn cpu_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: `time` is a place for one `timespec`.
    let outcome = unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    assert_eq!(outcome, 0, "the clock of the process can be read");
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}
