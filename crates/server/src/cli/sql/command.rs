use std::time::Duration;

use super::super::error::CliError;

/// What is typed after a backslash.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Command {
    /// `\d`
    List,
    /// `\d NAME`
    Describe(String),
    /// `\c NAME`
    Connect(String),
    /// `\timing`
    Timing,
    /// `\format NAME`
    Format(String),
    /// `\watch [SECONDS]`
    Watch(Duration),
    /// `\?`
    Help,
    /// `\q`
    Quit,
}

/// What there is to type.
pub(super) const HELP: &str = "\
SELECT …;        run a query, on as many lines as it takes
\\d               list tables and views
\\d NAME          the columns of a table or view
\\watch [N]       run the last query again every N seconds (2), until Ctrl-C
\\timing          say how long each query takes, or stop saying so
\\format NAME     print rows as table, csv, ndjson or json
\\c NAME          go to another workspace
\\q               leave (so does Ctrl-D)
";

const WATCH_SECONDS: f64 = 2.0;

impl Command {
    /// Reads a line that begins with a backslash.
    pub(super) fn parse(line: &str) -> Result<Command, CliError> {
        let line = line.trim().trim_end_matches(';');
        let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let argument = argument.trim();
        let needs = |what: &str| {
            CliError::new(format!("{name} needs {what}")).hint(format!("{name} NAME; \\? lists all commands"))
        };
        Ok(match name {
            "\\d" if argument.is_empty() => Command::List,
            "\\d" => Command::Describe(unquoted(argument)),
            "\\c" if argument.is_empty() => return Err(needs("the name of a workspace")),
            "\\c" => Command::Connect(unquoted(argument)),
            "\\timing" => Command::Timing,
            "\\format" if argument.is_empty() => return Err(needs("table, csv, ndjson or json")),
            "\\format" => Command::Format(argument.to_owned()),
            "\\watch" => Command::Watch(pause(argument)?),
            "\\?" | "\\h" | "\\help" => Command::Help,
            "\\q" | "\\quit" => Command::Quit,
            _ => {
                return Err(
                    CliError::new(format!("there is no command {name}")).hint("\\? lists all commands")
                );
            }
        })
    }
}

fn pause(argument: &str) -> Result<Duration, CliError> {
    let seconds = if argument.is_empty() { Some(WATCH_SECONDS) } else { argument.parse().ok() };
    seconds.filter(|seconds| (0.1..=86_400.0).contains(seconds)).map(Duration::from_secs_f64).ok_or_else(
        || {
            CliError::new(format!("\\watch {argument} is not a pause"))
                .hint("give seconds, from 0.1: \\watch 5")
        },
    )
}

/// A name as SQL means it: without quotes in lower case.
fn unquoted(name: &str) -> String {
    match name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(exact) => exact.replace("\"\"", "\""),
        None => name.to_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_as_in_other_prompts() {
        assert_eq!(Command::parse("\\d").unwrap(), Command::List);
        assert_eq!(Command::parse("\\d Orders;").unwrap(), Command::Describe("orders".to_owned()));
        assert_eq!(Command::parse("\\d \"Or\"\"ders\"").unwrap(), Command::Describe("Or\"ders".to_owned()));
        assert_eq!(Command::parse("\\watch").unwrap(), Command::Watch(Duration::from_secs(2)));
        assert_eq!(Command::parse("\\watch 0.5").unwrap(), Command::Watch(Duration::from_millis(500)));
        for refused in ["\\watch 0", "\\watch NaN", "\\c", "\\dt"] {
            assert!(Command::parse(refused).is_err(), "{refused}");
        }
    }
}
