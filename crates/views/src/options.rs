/// How a circuit runs.
#[derive(Clone, Debug, Default)]
pub struct CircuitOptions {}
