//! How long a workspace takes to come back. `drive DIR STEPS` pushes one record a step into a new data folder, as an
//! engine in this process, and ends without an orderly stop; `open DIR` opens the folder and reads.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use headwater_codec::{BodyFormat, DecodeOptions};
use headwater_engine::{
    Budget, Engine, EngineOptions, IfPaused, OnError, PushRequest, PushTarget, SetProgram,
};
use headwater_env::Env;
use headwater_types::Name;

const PROGRAM: &str = "
    CREATE TABLE orders (id BIGINT PRIMARY KEY, customer VARCHAR, amount DOUBLE, at TIMESTAMP);
    CREATE TABLE clicks (customer VARCHAR, page VARCHAR, n BIGINT);
    CREATE MATERIALIZED VIEW spend AS
        SELECT customer, COUNT(*) AS n, SUM(amount) AS total FROM orders GROUP BY customer;
    CREATE MATERIALIZED VIEW pages AS SELECT page, COUNT(*) AS n, MAX(n) AS most FROM clicks GROUP BY page;
    CREATE MATERIALIZED VIEW seen AS
        SELECT o.customer, o.amount, c.page FROM orders o JOIN clicks c ON o.customer = c.customer
        WHERE c.n % 1000 = 0;";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match args.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["drive", dir, steps] => runtime.block_on(drive(Path::new(dir), steps.parse()?)),
        ["open", dir] => runtime.block_on(open(Path::new(dir))),
        _ => Err("usage: restart drive DIR STEPS | restart open DIR".into()),
    }
}

fn options(dir: &Path) -> EngineOptions {
    EngineOptions {
        data_dir: PathBuf::from(dir),
        env: Env::real(),
        test_hooks: false,
        log: None,
        snapshot_log_bytes: None,
        budget: Budget::default(),
    }
}

async fn drive(dir: &Path, steps: u64) -> Result<(), Box<dyn std::error::Error>> {
    let engine = Engine::open(options(dir))?;
    let workspace = engine.create_workspace(&Name::new("w")?)?;
    workspace.set_program(PROGRAM.to_owned(), SetProgram::default()).await?;
    let started = Instant::now();
    for step in 0..steps {
        let (table, body) = match step % 2 {
            0 => (
                "orders",
                format!(
                    r#"{{"id":{},"customer":"c{}","amount":{}.25,"at":"2026-11-22T10:00:00Z"}}"#,
                    step % 50_000,
                    step % 997,
                    step % 100
                ),
            ),
            _ => {
                ("clicks", format!(r#"{{"customer":"c{}","page":"p{}","n":{step}}}"#, step % 997, step % 31))
            }
        };
        workspace.push(request(table, body)).await?;
    }
    println!("{steps} steps in {:.1?}", started.elapsed());
    // As if killed: nothing is closed in good order.
    std::process::exit(0);
}

async fn open(dir: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let started = Instant::now();
    let engine: Arc<Engine> = Engine::open(options(dir))?;
    println!("open after {:.1?}", started.elapsed());
    let workspace = engine.workspace("w").await?;
    let (lsn, result) = workspace.query("SELECT SUM(n) AS n, SUM(total) AS total FROM spend", None).await?;
    let rows: usize = result.batches.iter().map(arrow::record_batch::RecordBatch::num_rows).sum();
    println!("first read after {:.1?}: LSN {lsn}, {rows} row", started.elapsed());
    std::process::exit(0);
}

fn request(table: &str, body: String) -> PushRequest {
    PushRequest {
        body: body.into(),
        format: BodyFormat::Json,
        target: PushTarget::Table(table.to_owned()),
        options: DecodeOptions::default(),
        on_error: OnError::RejectRequest,
        if_paused: IfPaused::Refuse,
        idempotency_key: None,
        endpoint: table.to_owned(),
        key_id: String::new(),
    }
}
