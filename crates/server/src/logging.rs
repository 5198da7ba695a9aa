use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

/// The variable that says which log lines are written, in `tracing`'s filter syntax.
pub const FILTER_VARIABLE: &str = "HEADWATER_LOG";

/// Which log lines are written if nobody says so: our own, and of the libraries only what went wrong.
const FILTER_DEFAULT: &str = "info,datafusion=warn,dbsp=warn,hyper=warn,h2=warn";

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    #[default]
    Human,
    /// One JSON object per line.
    Json,
}

/// Sends log lines to stderr from here on, and every panic as one of them.
pub fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env(FILTER_VARIABLE).unwrap_or_else(|_| EnvFilter::new(FILTER_DEFAULT));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    let started = match format {
        LogFormat::Human => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if started.is_ok() {
        std::panic::set_hook(Box::new(log_panic));
    }
}

fn log_panic(panic: &std::panic::PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    let message = panic.payload_as_str().unwrap_or("no message").replace('\n', " ");
    tracing::error!(thread = thread.name().unwrap_or_default(), place, "panicked: {message}");
}
