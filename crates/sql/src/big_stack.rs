use std::any::Any;

use crate::bounds::STACK_BYTES;

/// Runs a closure on a thread of its own whose stack fits every statement that the bounds let through.
///
/// `Err` holds what a panic said: no text may take the server down, whatever a library makes of it.
pub(crate) fn run<T: Send>(work: impl FnOnce() -> T + Send) -> Result<T, String> {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().name("sql".to_owned()).stack_size(STACK_BYTES);
        match thread.spawn_scoped(scope, work) {
            Ok(handle) => handle.join().map_err(|panic| panic_message(panic.as_ref())),
            Err(error) => Err(format!("no thread to plan on: {error}")),
        }
    })
}

/// What a panic said.
pub(crate) fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "unknown reason".to_owned())
}
