//! A server in this process, on a port of its own, and the least of a client.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use headwater_env::Env;
use headwater_env::sim::SimDisk;
use headwater_log::LogOptions;
use headwater_server::app::{App, Bounds};
use headwater_server::server::{Server, ServerOptions};
use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::oneshot;
use ureq::Agent;
use ureq::http::{HeaderMap, Request};

/// Time-outs short enough to wait for in a test, long enough for a busy machine.
pub(crate) fn short() -> Bounds {
    Bounds {
        head: Duration::from_millis(500),
        body_idle: Duration::from_millis(500),
        body: Duration::from_millis(1_500),
        answer_stall: Duration::from_millis(500),
        ..Bounds::default()
    }
}

/// A running server. Dropping it stops it.
pub(crate) struct TestServer {
    pub(crate) address: SocketAddr,
    pub(crate) app: Arc<App>,
    agent: Agent,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
    _folder: Option<TempDir>,
}

/// What the server said.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
    pub(crate) bytes: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    pub(crate) fn code(&self) -> String {
        self.json()["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl TestServer {
    pub(crate) fn start() -> TestServer {
        TestServer::start_with(Bounds::default())
    }

    pub(crate) fn start_with(bounds: Bounds) -> TestServer {
        let folder = tempfile::tempdir().unwrap();
        let mut server = TestServer::start_in(folder.path(), bounds);
        server._folder = Some(folder);
        server
    }

    pub(crate) fn start_in(folder: &Path, bounds: Bounds) -> TestServer {
        TestServer::start_on(folder, Env::real(), bounds)
    }

    /// A server whose data lies on a simulated disk.
    pub(crate) fn start_on_sim(disk: &SimDisk) -> TestServer {
        let env = Env { disk: Arc::new(disk.clone()), ..Env::real() };
        TestServer::start_on(Path::new("/data"), env, Bounds::default())
    }

    fn start_on(folder: &Path, env: Env, bounds: Bounds) -> TestServer {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        // No reserve: tests write little, and some of them fill the disk.
        let log = Some(LogOptions { reserve_bytes: 0, ..LogOptions::default() });
        let usual = ServerOptions::new(listen, folder.to_owned());
        let server = Server::open(ServerOptions { bounds, env, log, test_hooks: true, ..usual }).unwrap();
        let address = server.address();
        let app = Arc::clone(server.app());
        let (stop, stopped) = oneshot::channel();
        let serving = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime
                .block_on(server.run_until(async move {
                    let _ = stopped.await;
                }))
                .unwrap();
        });
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .build()
            .into();
        TestServer { address, app, agent, stop: Some(stop), serving: Some(serving), _folder: None }
    }

    /// Stops the server as SIGTERM does, and waits for its end.
    pub(crate) fn stop(&mut self) {
        self.begin_stop();
        if let Some(serving) = self.serving.take() {
            serving.join().unwrap();
        }
    }

    /// Tells the server to stop, and does not wait.
    pub(crate) fn begin_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Reply {
        let mut request = Request::builder().method(method).uri(format!("http://{}{path}", self.address));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.as_ref();
        let sent = if body.is_empty() && matches!(method, "GET" | "DELETE" | "HEAD") {
            self.agent.run(request.body(()).unwrap())
        } else {
            self.agent.run(request.body(body).unwrap())
        };
        let mut response = sent.unwrap_or_else(|error| panic!("{method} {path}: {error}"));
        let bytes = response.body_mut().with_config().limit(1 << 30).read_to_vec().unwrap();
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Reply { status: response.status().as_u16(), headers: response.headers().clone(), body, bytes }
    }

    pub(crate) fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "")
    }

    pub(crate) fn post(&self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        self.send("POST", path, &[], body)
    }

    pub(crate) fn put(&self, path: &str, body: impl AsRef<[u8]>) -> Reply {
        self.send("PUT", path, &[], body)
    }

    /// Sets the program of workspace `w`, which must be accepted.
    pub(crate) fn program(&self, sql: &str) {
        let reply = self.put("/v1/workspaces/w/program", sql);
        assert_eq!(reply.status, 200, "{}", reply.body);
    }

    /// The rows of a query in workspace `w`.
    pub(crate) fn rows(&self, sql: &str) -> Vec<Value> {
        let reply = self.post("/v1/workspaces/w/query", sql);
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.body.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends these bytes and reads until the server closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> String {
        let mut stream = self.connect();
        // The server may answer and close before it has read everything.
        let _ = stream.write_all(bytes);
        read_to_end(&mut stream)
    }
}

impl Drop for TestServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What comes until the peer closes, or resets.
pub(crate) fn read_to_end(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    let mut buffer = [0; 4_096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => all.extend_from_slice(&buffer[..read]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("the server neither answered nor closed: {error}"),
        }
    }
    String::from_utf8_lossy(&all).into_owned()
}

/// Bytes as gzip.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}
