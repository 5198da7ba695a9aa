use std::path::PathBuf;

/// How a circuit runs.
#[derive(Clone, Debug, Default)]
pub struct CircuitOptions {
    /// Where state goes that does not stay in memory. Without it all state is in memory, and there are no
    /// checkpoints.
    pub storage: Option<CircuitStorage>,
}

/// A folder for a circuit's state. What lies there is a cache: it can be deleted while nothing runs.
#[derive(Clone, Debug)]
pub struct CircuitStorage {
    /// The folder, which belongs to the circuit alone. It is made if it is missing.
    pub dir: PathBuf,
    /// How many bytes of files are cached in memory.
    pub cache_bytes: usize,
    /// State is written to files in batches; a batch smaller than this stays in memory until a checkpoint.
    pub file_bytes_min: usize,
    /// When the process takes nearly this much memory, all state goes to files.
    pub process_bytes_max: Option<u64>,
}

impl CircuitStorage {
    /// A folder with the usual bounds.
    #[must_use]
    pub fn new(dir: PathBuf) -> CircuitStorage {
        CircuitStorage { dir, cache_bytes: 64 << 20, file_bytes_min: 10 << 20, process_bytes_max: None }
    }
}
