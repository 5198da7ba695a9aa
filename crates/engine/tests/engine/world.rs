//! A workspace on a simulated disk, and short words for what is done with it.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::record_batch::RecordBatch;
use headwater_codec::{BodyFormat, DecodeOptions, OperationName, json};
use headwater_engine::{
    Budget, Engine, EngineOptions, IfPaused, OnError, OpenError, PushAnswer, PushError, PushRequest,
    PushTarget, SetProgram, Workspace,
};
use headwater_env::sim::SimDisk;
use headwater_env::{Env, ManualClock, SeededRng};
use headwater_log::LogOptions;
use headwater_types::{Lsn, Name, TimestampMicros};

/// 2026-11-22T00:00:00Z
pub const START_MICROS: i64 = 1_795_305_600_000_000;

pub struct World {
    pub disk: SimDisk,
    pub clock: Arc<ManualClock>,
    pub engine: Arc<Engine>,
}

/// Options with small files, so that segments change and snapshots are written within a short test.
pub fn options(disk: &SimDisk, clock: &Arc<ManualClock>) -> EngineOptions {
    let log = LogOptions {
        segment_bytes: 64 << 10,
        first_segment_bytes: 16 << 10,
        reserve_bytes: 16 << 10,
        first_lsn: Lsn(1),
    };
    EngineOptions {
        data_dir: PathBuf::from("/data"),
        env: Env { disk: Arc::new(disk.clone()), clock: clock.clone(), rng: Arc::new(SeededRng::new(7)) },
        test_hooks: true,
        log: Some(log),
        snapshot_log_bytes: Some(64 << 10),
        budget: Budget { housekeeping: false, ..Budget::default() },
    }
}

impl World {
    /// An empty data folder.
    pub fn new() -> World {
        World::on(SimDisk::new(), START_MICROS).unwrap()
    }

    /// The data folder that this disk holds.
    pub fn on(disk: SimDisk, now_micros: i64) -> Result<World, OpenError> {
        let clock = Arc::new(ManualClock::new(TimestampMicros(now_micros)));
        let engine = Engine::open(options(&disk, &clock))?;
        Ok(World { disk, clock, engine })
    }

    /// An empty data folder with workspace `w` and this program.
    pub fn with_program(sql: &str) -> World {
        let world = World::new();
        world.engine.create_workspace(&Name::new("w").unwrap()).unwrap();
        world.set_program(sql);
        world
    }

    /// Stops the server in good order and starts it again.
    pub fn restart(self) -> World {
        let now = headwater_env::Clock::now(&*self.clock).0;
        self.engine.shutdown();
        let disk = self.disk.restart_process();
        drop(self);
        World::on(disk, now).unwrap()
    }

    pub fn workspace(&self) -> Arc<Workspace> {
        self.engine.workspace_blocking("w").unwrap()
    }

    pub fn set_program(&self, sql: &str) -> Lsn {
        block_on(self.workspace().set_program(sql.to_owned(), SetProgram::default())).unwrap().lsn
    }

    pub fn try_push(&self, request: PushRequest) -> Result<PushAnswer, PushError> {
        block_on(self.workspace().push(request))
    }

    pub fn push(&self, table: &str, body: &str) -> PushAnswer {
        self.try_push(request(table, body)).unwrap()
    }

    /// The rows of a query, one JSON object a line, as the query orders them.
    pub fn query(&self, sql: &str) -> String {
        let (_, result) = block_on(self.workspace().query(sql, None)).unwrap();
        ndjson(&result.batches)
    }

    /// The rows of a relation in a fixed order.
    pub fn rows(&self, relation: &str) -> Vec<String> {
        let text = self.query(&format!("SELECT * FROM \"{relation}\""));
        let mut rows: Vec<String> = text.lines().map(str::to_owned).collect();
        rows.sort();
        rows
    }
}

pub fn ndjson(batches: &[RecordBatch]) -> String {
    let mut out = Vec::new();
    for batch in batches {
        json::write_rows_ndjson(batch, &mut out);
    }
    String::from_utf8(out).unwrap()
}

/// A push of JSON to a table, all or nothing.
pub fn request(table: &str, body: &str) -> PushRequest {
    PushRequest {
        body: body.to_owned().into(),
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

pub fn keyed(table: &str, body: &str, key: &str) -> PushRequest {
    PushRequest { idempotency_key: Some(key.to_owned()), ..request(table, body) }
}

pub fn delete(table: &str, body: &str) -> PushRequest {
    operation(table, body, OperationName::Delete)
}

pub fn patch(table: &str, body: &str) -> PushRequest {
    operation(table, body, OperationName::Patch)
}

fn operation(table: &str, body: &str, operation: OperationName) -> PushRequest {
    PushRequest { options: DecodeOptions { operation, ..DecodeOptions::default() }, ..request(table, body) }
}

pub fn skipping(request: PushRequest) -> PushRequest {
    PushRequest { on_error: OnError::Skip, ..request }
}

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}
