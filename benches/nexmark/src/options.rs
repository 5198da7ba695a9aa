/// What is measured.
pub(crate) struct Options {
    pub(crate) events: usize,
    pub(crate) rounds: usize,
    /// Steps of one row per round.
    pub(crate) small_steps: usize,
    /// Only queries whose name is this.
    pub(crate) query: Option<String>,
    /// Only this side, and no checks: for a profiler.
    pub(crate) only: Option<Only>,
}

/// One of the two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Only {
    Headwater,
    Compiled,
}

impl Options {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Options, String> {
        let mut options =
            Options { events: 1_000_000, rounds: 3, small_steps: 2_000, query: None, only: None };
        let mut words = arguments;
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            let number = |text: String| text.parse::<usize>().map_err(|e| format!("{text}: {e}"));
            match word.as_str() {
                "--events" => options.events = number(value()?)?.max(1),
                "--rounds" => options.rounds = number(value()?)?.max(1),
                "--small-steps" => options.small_steps = number(value()?)?.max(1),
                "--query" => options.query = Some(value()?),
                "--only" => options.only = Some(only(&value()?)?),
                other => {
                    return Err(format!(
                        "unknown option {other}: there are --events N, --rounds N, --small-steps N, \
                         --query NAME, --only headwater|compiled"
                    ));
                }
            }
        }
        Ok(options)
    }
}

fn only(name: &str) -> Result<Only, String> {
    match name {
        "headwater" => Ok(Only::Headwater),
        "compiled" => Ok(Only::Compiled),
        other => Err(format!("there is no side {other}")),
    }
}
