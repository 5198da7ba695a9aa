use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::Serialize;

use super::CONNECTIONS;
use super::client::{Client, DemoError};
use super::data::{Flight, Weather};
use super::display::Display;
use super::events::{Event, Hour};
use super::latency::Latencies;

/// Of so many requests of a connection one is followed by reading back what it wrote.
const READ_BACK_EVERY: usize = 8;
const REFRESH_EVERY: Duration = Duration::from_millis(250);

/// What the replay did and how long it took.
#[derive(Clone, Debug, Default)]
pub(super) struct Replayed {
    pub(super) events: usize,
    pub(super) took: Duration,
    /// One per push, from the first byte sent to the answer read.
    pub(super) pushes: Latencies,
    /// One per look-up of a row just written, from the push's first byte to the row read.
    pub(super) written_and_read: Latencies,
    /// Look-ups that did not find what had just been acknowledged.
    pub(super) stale_reads: usize,
}

/// Pushes all hours in order; within an hour the connections push side by side, one request each.
pub(super) fn run(
    client: &Client,
    hours: &[Hour<'_>],
    pace: Duration,
    display: &Display,
) -> Result<Replayed, DemoError> {
    let barrier = Barrier::new(CONNECTIONS);
    let failed = AtomicBool::new(false);
    let ended = AtomicBool::new(false);
    let started = Instant::now();
    let schedule = Schedule { started, pace, hours: hours.len() };
    let outcomes = thread::scope(|scope| {
        let pushing: Vec<_> = (0..CONNECTIONS)
            .map(|connection| {
                let worker = Worker {
                    connection,
                    client: client.another(),
                    barrier: &barrier,
                    failed: &failed,
                    display,
                };
                let schedule = &schedule;
                scope.spawn(move || worker.push_all(hours, schedule))
            })
            .collect();
        let watching = scope.spawn(|| {
            loop {
                // Asked before the picture is taken, so that the last one shows the end.
                let is_last = ended.load(Ordering::Acquire);
                display.refresh(client);
                if is_last {
                    break;
                }
                thread::park_timeout(REFRESH_EVERY);
            }
        });
        let outcomes: Vec<_> = pushing
            .into_iter()
            .map(|worker| worker.join().expect("a panic in the demo is a bug in the demo"))
            .collect();
        let took = started.elapsed();
        ended.store(true, Ordering::Release);
        watching.thread().unpark();
        (outcomes, took)
    });
    sum_up(outcomes.0, outcomes.1)
}

fn sum_up(outcomes: Vec<Result<Replayed, DemoError>>, took: Duration) -> Result<Replayed, DemoError> {
    let mut all = Replayed { took, ..Replayed::default() };
    for outcome in outcomes {
        let one = outcome?;
        all.events += one.events;
        all.stale_reads += one.stale_reads;
        all.pushes.extend(one.pushes);
        all.written_and_read.extend(one.written_and_read);
    }
    Ok(all)
}

/// When each hour of the month may start.
struct Schedule {
    started: Instant,
    pace: Duration,
    hours: usize,
}

impl Schedule {
    fn wait_for(&self, hour: usize) {
        let share = hour as f64 / self.hours.max(1) as f64;
        let due = self.started + self.pace.mul_f64(share);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }
}

struct Worker<'a> {
    connection: usize,
    client: Client,
    barrier: &'a Barrier,
    failed: &'a AtomicBool,
    display: &'a Display,
}

impl Worker<'_> {
    fn push_all(&self, hours: &[Hour<'_>], schedule: &Schedule) -> Result<Replayed, DemoError> {
        let mut done = Replayed::default();
        let mut outcome = Ok(());
        for (number, hour) in hours.iter().enumerate() {
            // Everyone comes here for every hour, also after a failure: a barrier that one does not reach holds all.
            self.barrier.wait();
            if self.failed.load(Ordering::Acquire) {
                continue;
            }
            schedule.wait_for(number);
            if let Err(error) = self.push(&hour.by_connection[self.connection], &mut done) {
                self.failed.store(true, Ordering::Release);
                outcome = Err(error);
            }
            self.display.advance(hour.by_connection[self.connection].len(), hour.starts);
        }
        outcome.map(|()| done)
    }

    fn push(&self, events: &[Event<'_>], done: &mut Replayed) -> Result<(), DemoError> {
        if events.is_empty() {
            return Ok(());
        }
        let body = body(events);
        let started = Instant::now();
        self.client.push_mixed(&body)?;
        done.pushes.add(started.elapsed());
        done.events += events.len();
        if done.pushes.count().is_multiple_of(READ_BACK_EVERY)
            && let Some((flight, delay)) = last_departure(events)
        {
            let number = flight.flight.to_string();
            let key = [flight.scheduled.as_str(), &flight.carrier, &number, &flight.origin];
            let found = self.client.flight_integer(key, "dep_delay")?;
            done.written_and_read.add(started.elapsed());
            done.stale_reads += usize::from(found != Some(i64::from(delay)));
        }
        Ok(())
    }
}

fn last_departure<'a>(events: &[Event<'a>]) -> Option<(&'a Flight, i32)> {
    events.iter().rev().find_map(|event| match event {
        Event::Departed(flight) => Some((*flight, flight.dep_delay?)),
        _ => None,
    })
}

/// One record of a request over several tables.
#[derive(Serialize)]
struct Record<'a> {
    table: &'static str,
    op: &'static str,
    row: Row<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Row<'a> {
    Weather(&'a Weather),
    Scheduled {
        #[serde(flatten)]
        key: Key<'a>,
        dest: &'a str,
        tailnum: Option<&'a str>,
        distance_miles: i32,
    },
    Departed {
        #[serde(flatten)]
        key: Key<'a>,
        dep_delay: Option<i32>,
    },
    Arrived {
        #[serde(flatten)]
        key: Key<'a>,
        arr_delay: Option<i32>,
        air_time: Option<i32>,
    },
    Cancelled(Key<'a>),
}

#[derive(Serialize)]
struct Key<'a> {
    scheduled: &'a str,
    carrier: &'a str,
    flight: i32,
    origin: &'a str,
}

impl<'a> From<&'a Flight> for Key<'a> {
    fn from(flight: &'a Flight) -> Key<'a> {
        Key {
            scheduled: &flight.scheduled,
            carrier: &flight.carrier,
            flight: flight.flight,
            origin: &flight.origin,
        }
    }
}

fn record(event: Event<'_>) -> Record<'_> {
    let (table, op, row) = match event {
        Event::Observed(weather) => ("weather", "upsert", Row::Weather(weather)),
        Event::Scheduled(flight) => {
            let tailnum = flight.tailnum.as_deref();
            let (dest, distance_miles) = (flight.dest.as_str(), flight.distance_miles);
            ("flights", "upsert", Row::Scheduled { key: flight.into(), dest, tailnum, distance_miles })
        }
        Event::Departed(flight) => {
            ("flights", "patch", Row::Departed { key: flight.into(), dep_delay: flight.dep_delay })
        }
        Event::Arrived(flight) => {
            let (arr_delay, air_time) = (flight.arr_delay, flight.air_time);
            ("flights", "patch", Row::Arrived { key: flight.into(), arr_delay, air_time })
        }
        Event::Cancelled(flight) => ("flights", "delete", Row::Cancelled(flight.into())),
    };
    Record { table, op, row }
}

/// The events as NDJSON.
fn body(events: &[Event<'_>]) -> Vec<u8> {
    let mut body = Vec::with_capacity(events.len() * 160);
    for event in events {
        serde_json::to_writer(&mut body, &record(*event))
            .expect("these records have text keys and finite numbers");
        body.push(b'\n');
    }
    body
}

#[cfg(test)]
mod tests;
