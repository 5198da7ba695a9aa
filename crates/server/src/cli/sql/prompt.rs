use std::fs;
use std::path::PathBuf;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Context, Editor, Helper};

use super::super::error::CliError;
use super::session::Session;
use super::{interrupt, statements};

/// Entries that are remembered from one run to the next.
const HISTORY_ENTRIES_MAX: usize = 1_000;
const KEYWORDS: [&str; 16] = [
    "SELECT", "FROM", "WHERE", "GROUP BY", "ORDER BY", "HAVING", "LIMIT", "JOIN", "COUNT(*)", "DISTINCT",
    "\\d", "\\timing", "\\watch", "\\format", "\\c", "\\q",
];

/// Asks for statements until there are no more.
pub(super) fn run(session: &mut Session) -> Result<(), CliError> {
    let failed = |error: ReadlineError| CliError::new(format!("the terminal cannot be read: {error}"));
    interrupt::catch()?;
    let config = Config::builder().max_history_size(HISTORY_ENTRIES_MAX).map_err(failed)?.build();
    let mut editor: Editor<Words, FileHistory> = Editor::with_config(config).map_err(failed)?;
    let history = history_file();
    if let Some(history) = &history {
        // There is none at the first run.
        let _ = editor.load_history(history);
    }
    println!("workspace {}; \\? for help, \\q to leave", session.workspace());
    loop {
        editor.set_helper(Some(Words(session.names())));
        let line = match editor.readline(&format!("{}> ", session.workspace())) {
            Ok(line) => line,
            Err(ReadlineError::Interrupted) => continue,
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(failed(error)),
        };
        if line.trim().is_empty() {
            continue;
        }
        // An entry that cannot be remembered can be run all the same.
        let _ = editor.add_history_entry(line.trim());
        if let Some(history) = &history {
            let _ = editor.save_history(history);
        }
        if enter(session, &line) {
            break;
        }
    }
    Ok(())
}

/// Runs what was typed until something fails; says whether it was told to end.
fn enter(session: &mut Session, line: &str) -> bool {
    for statement in statements::split(line) {
        match session.enter(statement) {
            Ok(after) if after.is_end() => return true,
            Ok(_) => {}
            Err(error) => {
                eprintln!("{error}");
                return false;
            }
        }
    }
    false
}

/// Where what was typed is kept: in the user's folder for state.
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let state =
        state.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local").join("state")))?;
    let folder = state.join("headwater");
    fs::create_dir_all(&folder).ok()?;
    Some(folder.join("sql_history"))
}

/// Words that Tab completes.
struct Words(Vec<String>);

impl Helper for Words {}
impl Highlighter for Words {}

impl Hinter for Words {
    type Hint = String;
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let is_whole = statements::is_whole(context.input());
        Ok(if is_whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

impl Completer for Words {
    type Candidate = String;

    fn complete(&self, line: &str, at: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<String>)> {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '\\');
        let start = line[..at]
            .rfind(|c| !is_part(c))
            .map_or(0, |before| before + line[before..].chars().next().map_or(0, char::len_utf8));
        let begun = line[start..at].to_lowercase();
        if begun.is_empty() {
            return Ok((start, Vec::new()));
        }
        let words = self.0.iter().map(String::as_str).chain(KEYWORDS);
        let fitting = words.filter(|word| word.to_lowercase().starts_with(&begun)).map(str::to_owned);
        Ok((start, fitting.collect()))
    }
}
