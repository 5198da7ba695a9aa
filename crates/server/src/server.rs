use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use headwater_engine::{Budget, Engine, EngineOptions, OpenError};
use headwater_env::Env;
use headwater_log::LogOptions;
use tokio::net::TcpListener;

use crate::app::{App, Bounds};
use crate::http::listener;
use crate::memory;
use crate::routes::router;

/// How a server is started.
#[derive(Debug)]
pub struct ServerOptions {
    /// Where it listens: a loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where it keeps its data.
    pub data_dir: PathBuf,
    /// What clients may take of the server.
    pub bounds: Bounds,
    /// Whether functions that exist for tests may be called.
    pub test_hooks: bool,
    /// Disk, clock and randomness.
    pub env: Env,
    /// Sizes of logs; by the size of the volume if `None`.
    pub log: Option<LogOptions>,
    /// Bytes of log after which a workspace writes snapshots; the engine's own choice if `None`.
    pub snapshot_log_bytes: Option<u64>,
    /// What all workspaces together may take of memory and threads.
    pub budget: Budget,
}

impl ServerOptions {
    /// A server over this folder with everything else as usual.
    #[must_use]
    pub fn new(listen: SocketAddr, data_dir: PathBuf) -> ServerOptions {
        ServerOptions {
            listen,
            data_dir,
            bounds: Bounds::default(),
            test_hooks: false,
            env: Env::real(),
            log: None,
            snapshot_log_bytes: None,
            budget: Budget::of_memory(memory::share_of_the_machine()),
        }
    }
}

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address can be reached from other machines.
    #[error("{address} is not a loopback address")]
    NotLoopback {
        /// The address.
        address: SocketAddr,
    },
    /// Somebody else listens there.
    #[error("port {} is in use", address.port())]
    PortInUse {
        /// The address.
        address: SocketAddr,
    },
    /// The address cannot be listened at.
    #[error("cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The data folder cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// A server that has its socket and its data. It accepts once it runs; until then connections wait.
#[derive(Debug)]
pub struct Server {
    listener: std::net::TcpListener,
    address: SocketAddr,
    app: Arc<App>,
}

impl Server {
    /// Takes the socket, then opens the data folder. Workspaces are opened when somebody asks for them.
    pub fn open(options: ServerOptions) -> Result<Server, StartError> {
        let listener = listen(options.listen)?;
        let address =
            listener.local_addr().map_err(|source| StartError::Listen { address: options.listen, source })?;
        let engine = Engine::open(EngineOptions {
            data_dir: options.data_dir,
            env: options.env,
            test_hooks: options.test_hooks,
            log: options.log,
            snapshot_log_bytes: options.snapshot_log_bytes,
            budget: options.budget,
        })?;
        let app = Arc::new(App::new(engine, options.bounds, options.test_hooks));
        Ok(Server { listener, address, app })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What its handlers share.
    #[must_use]
    pub fn app(&self) -> &Arc<App> {
        &self.app
    }

    /// Serves until `stop` is done, answers the requests under way, and closes the data folder.
    pub async fn run_until(self, stop: impl Future<Output = ()>) -> io::Result<()> {
        let listener = TcpListener::from_std(self.listener)?;
        listener::serve(listener, Arc::clone(&self.app), router(Arc::clone(&self.app)), stop).await;
        tokio::task::block_in_place(|| self.app.engine.shutdown());
        Ok(())
    }
}

fn listen(address: SocketAddr) -> Result<std::net::TcpListener, StartError> {
    if !address.ip().is_loopback() {
        return Err(StartError::NotLoopback { address });
    }
    let bound = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => StartError::PortInUse { address },
        _ => StartError::Listen { address, source },
    })
}
