//! Where clients find the server. While it is down, or looked at after a restart, they wait here.

use std::net::SocketAddr;
use std::sync::{Condvar, Mutex};

#[derive(Clone, Copy)]
enum State {
    Open(SocketAddr),
    Shut,
    Over,
}

pub(crate) struct Door {
    state: Mutex<(State, bool)>,
    changed: Condvar,
}

impl Door {
    pub(crate) fn shut() -> Door {
        Door { state: Mutex::new((State::Shut, false)), changed: Condvar::new() }
    }

    pub(crate) fn open(&self, address: SocketAddr) {
        self.set(State::Open(address));
    }

    pub(crate) fn close(&self) {
        self.set(State::Shut);
    }

    /// Clients end what they have begun and begin nothing more.
    pub(crate) fn finish(&self) {
        self.state.lock().unwrap().1 = true;
    }

    pub(crate) fn is_finishing(&self) -> bool {
        let state = self.state.lock().unwrap();
        state.1 || matches!(state.0, State::Over)
    }

    /// The server's address, once it is up. `None` when the test is over.
    pub(crate) fn wait(&self) -> Option<SocketAddr> {
        let state = self.state.lock().unwrap();
        let state = self.changed.wait_while(state, |state| matches!(state.0, State::Shut)).unwrap();
        match state.0 {
            State::Open(address) => Some(address),
            State::Shut | State::Over => None,
        }
    }

    fn set(&self, to: State) {
        self.state.lock().unwrap().0 = to;
        self.changed.notify_all();
    }
}

/// Sends all clients home when the test ends, also when it fails: nobody waits for a server that never comes.
pub(crate) struct EndsDoor<'a>(pub(crate) &'a Door);

impl Drop for EndsDoor<'_> {
    fn drop(&mut self) {
        self.0.set(State::Over);
    }
}
