//! Holds no code. Every heavy crate depends on this one, so that whichever package is built or tested alone,
//! the dependencies it shares with the others are compiled with one set of features: once, not once per selection.
