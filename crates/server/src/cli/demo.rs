use std::sync::mpsc;

use super::Done;
use super::error::CliError;
use super::serve::{explain, runtime, stop_signal, temporary_folder};
use crate::demo::{self, DemoArgs};
use crate::server::{Server, ServerOptions};

/// Starts a server on a temporary folder in this process and runs the demo against it.
pub fn run(args: &DemoArgs) -> Done {
    let folder = temporary_folder()?;
    let options = ServerOptions::new(args.listen, folder.path().to_owned());
    let server = Server::open(options).map_err(|error| explain(error, folder.path()))?;
    let address = server.address().to_string();
    let runtime = runtime()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let serving = runtime.spawn(server.run_until(async move {
        // A dropped sender stops the server as well.
        let _ = stopped.await;
    }));
    let (signalled, wait) = mpsc::channel();
    let signal = runtime.block_on(async { stop_signal() })?;
    runtime.spawn(async move {
        signal.await;
        let _ = signalled.send(());
    });
    let exit_code = demo::run(args, &address, || {
        let _ = wait.recv();
    });
    drop(stop);
    let served = runtime.block_on(serving);
    match served {
        Ok(Ok(())) => Ok(exit_code),
        Ok(Err(error)) => Err(CliError::new(format!("the server failed: {error}"))),
        Err(error) => Err(CliError::new(format!("the server ended early: {error}"))),
    }
}
