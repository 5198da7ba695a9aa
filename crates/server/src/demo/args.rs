use std::io::IsTerminal;
use std::net::SocketAddr;

/// Replay a month of real flights and watch views follow
#[derive(Clone, Debug, clap::Args)]
pub struct DemoArgs {
    /// Where the demo's server listens; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,

    /// Spread the month over this many seconds; 0 replays flat out [default: 20 on a terminal, else 0]
    #[arg(long, value_name = "S")]
    pub seconds: Option<u64>,

    /// Keep the server up after the replay, until Ctrl-C [default on a terminal]
    #[arg(long, conflicts_with = "exit")]
    pub stay: bool,

    /// End after the replay, also on a terminal
    #[arg(long)]
    pub exit: bool,
}

impl DemoArgs {
    /// Whether the server stays up after the replay.
    #[must_use]
    pub fn stays(&self) -> bool {
        self.stay || (!self.exit && std::io::stdout().is_terminal())
    }
}
