//! Measures a log in a real folder: `cargo run --release --example append_latency -- FOLDER`. Prints the latency of
//! durable appends, that of the appends that changed the segment, and the speed at which the log is read on start.

use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use headwater_env::{Env, OpenHow};
use headwater_log::{FileLog, LogOptions, LogStore, NewRecord};
use headwater_types::Lsn;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).ok_or("name a folder on the disk to be measured")?;
    let env = Env::real();
    let dir = Path::new(&folder).join("append_latency");
    if env.disk.exists(&dir) {
        env.disk.remove_dir_all(&dir)?;
    }
    env.disk.create_dir_all(&dir)?;
    overwrite_baseline(&env, &dir)?;
    for (payload_bytes, count) in [(3_900, 4_000), (64_000, 2_000)] {
        appends(&env, &dir.join(payload_bytes.to_string()), payload_bytes, count)?;
    }
    recovery(&env, &dir.join("recovery"))?;
    env.disk.remove_dir_all(&dir)?;
    Ok(())
}

/// What the disk itself needs: 4 KiB into zeros that are there, and a sync.
fn overwrite_baseline(env: &Env, dir: &Path) -> Result<(), Box<dyn Error>> {
    let file = env.disk.open(&dir.join("baseline"), OpenHow::CreateNew)?;
    file.allocate_zeroed(16 << 20)?;
    let mut latencies = Vec::new();
    for number in 0..4_000 {
        let started = Instant::now();
        file.write_at(&[1; 4096], number * 4096)?;
        file.sync()?;
        latencies.push(started.elapsed());
    }
    print("write and sync of 4096 bytes, no log", &mut latencies);
    Ok(())
}

fn appends(env: &Env, dir: &Path, payload_bytes: usize, count: u64) -> Result<(), Box<dyn Error>> {
    let (mut log, _) = FileLog::open(env, dir, LogOptions::default())?;
    let payload = vec![7; payload_bytes];
    let (mut all, mut changes) = (Vec::new(), Vec::new());
    for number in 1..=count {
        let segments_before = segment_count(env, dir)?;
        let started = Instant::now();
        log.append(Lsn(number), &[NewRecord { kind: 1, payload: &[&payload] }])?;
        let latency = started.elapsed();
        all.push(latency);
        if segment_count(env, dir)? != segments_before {
            changes.push(latency);
        }
    }
    print(&format!("durable append of {payload_bytes} bytes"), &mut all);
    print("  of these, while a segment was being made", &mut changes);
    log.close()?;
    Ok(())
}

fn segment_count(env: &Env, dir: &Path) -> Result<usize, Box<dyn Error>> {
    Ok(env.disk.list(dir)?.len())
}

fn recovery(env: &Env, dir: &Path) -> Result<(), Box<dyn Error>> {
    for (payload_bytes, total_bytes) in
        [(300_usize, 64_u64 << 20), (8_000, 256 << 20), (256 << 10, 512 << 20)]
    {
        let dir = dir.join(payload_bytes.to_string());
        let (mut log, _) = FileLog::open(env, &dir, LogOptions::default())?;
        let payload = vec![7; payload_bytes];
        let pieces = [payload.as_slice()];
        let group = vec![NewRecord { kind: 1, payload: &pieces }; (256 << 10) / payload_bytes];
        while log.bytes_since(Lsn(1)) < total_bytes {
            log.append(log.next_lsn(), &group)?;
        }
        log.close()?;
        let started = Instant::now();
        let (log, _) = FileLog::open(env, &dir, LogOptions::default())?;
        let opened = started.elapsed();
        let mib = log.bytes_since(Lsn(1)) as f64 / f64::from(1 << 20);
        let started = Instant::now();
        let records = log.read_from(Lsn(1))?.filter(Result::is_ok).count();
        let read = started.elapsed();
        println!(
            "{mib:.0} MiB, {records} records of {payload_bytes} bytes: opened and verified at {:.0} MiB/s, read at {:.0} MiB/s",
            mib / opened.as_secs_f64(),
            mib / read.as_secs_f64()
        );
    }
    Ok(())
}

fn print(what: &str, latencies: &mut [Duration]) {
    latencies.sort();
    let at =
        |share: f64| latencies.get((latencies.len() as f64 * share) as usize).copied().unwrap_or_default();
    let max = latencies.last().copied().unwrap_or_default();
    println!("{what}: n {}, p50 {:?}, p99 {:?}, max {max:?}", latencies.len(), at(0.5), at(0.99));
}
