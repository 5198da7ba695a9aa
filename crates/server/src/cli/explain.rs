use std::io::Write;
use std::process::ExitCode;

use serde::Deserialize;
use ureq::http::Method;

use super::client::{Client, segment};
use super::error::CliError;
use super::{Done, ServerArgs};

/// Characters of an operator's detail that are shown; expressions can be pages long.
const DETAIL_CHARS_MAX: usize = 160;

/// Show how views are computed, as trees of operators
#[derive(Debug, clap::Args)]
pub struct ExplainArgs {
    /// Only this view
    view: Option<String>,

    #[command(flatten)]
    server: ServerArgs,

    /// Print the server's JSON
    #[arg(long)]
    json: bool,
}

#[derive(Deserialize)]
struct Explanation {
    lsn: u64,
    views: Vec<View>,
}

#[derive(Deserialize)]
struct View {
    name: String,
    materialized: bool,
    stateful: bool,
    rows: Option<u64>,
    plan: Operator,
}

#[derive(Deserialize)]
struct Operator {
    operator: String,
    detail: String,
    rows: Option<u64>,
    inputs: Vec<Operator>,
}

/// Asks and draws.
pub fn run(args: &ExplainArgs) -> Done {
    let client = Client::new(&args.server.url)?;
    let workspace = client.workspace_path(&args.server)?;
    let view = args.view.as_ref().map(|view| format!("?view={}", segment(view))).unwrap_or_default();
    let answer = client.ask(Method::GET, &format!("{workspace}/explain{view}"), b"")?;
    let text = if args.json {
        answer + "\n"
    } else {
        let explanation: Explanation = serde_json::from_str(&answer)
            .map_err(|error| CliError::new(format!("the server's answer cannot be read: {error}")))?;
        drawn(&explanation)
    };
    // A reader like `head` may have left already, which is no failure.
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
    Ok(ExitCode::SUCCESS)
}

fn drawn(explanation: &Explanation) -> String {
    let mut text = String::new();
    for view in &explanation.views {
        let kind = match (view.materialized, view.stateful) {
            (false, _) => "computed by each query",
            (true, true) => "kept up to date, with state",
            (true, false) => "kept up to date",
        };
        text.push_str(&format!("{}: {kind}{}\n", view.name, in_words(view.rows)));
        draw(&view.plan, "", true, &mut text);
        text.push('\n');
    }
    text.push_str(&format!("(LSN {})\n", explanation.lsn));
    text
}

fn draw(operator: &Operator, indent: &str, is_last: bool, text: &mut String) {
    let (branch, below) = if is_last { ("└─ ", "   ") } else { ("├─ ", "│  ") };
    let line = format!("{} {}", operator.operator, short(&operator.detail));
    text.push_str(&format!("{indent}{branch}{}{}\n", line.trim_end(), in_words(operator.rows)));
    let indent = format!("{indent}{below}");
    for (index, input) in operator.inputs.iter().enumerate() {
        draw(input, &indent, index + 1 == operator.inputs.len(), text);
    }
}

fn in_words(rows: Option<u64>) -> String {
    match rows {
        None => String::new(),
        Some(1) => ", 1 row".to_owned(),
        Some(rows) => format!(", {rows} rows"),
    }
}

/// One line of a detail, without characters that would move the cursor.
fn short(detail: &str) -> String {
    let plain = detail.chars().map(|c| if c.is_control() { ' ' } else { c });
    let mut short: String = plain.take(DETAIL_CHARS_MAX).collect();
    if detail.chars().nth(DETAIL_CHARS_MAX).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_is_drawn_as_a_tree() {
        let scan = |name: &str, rows| Operator {
            operator: "scan".into(),
            detail: name.into(),
            rows,
            inputs: vec![],
        };
        let join = Operator {
            operator: "join".into(),
            detail: "inner on a.x = b.x".into(),
            rows: None,
            inputs: vec![scan("a", Some(1)), scan("b", Some(20))],
        };
        let union = Operator {
            operator: "union".into(),
            detail: String::new(),
            rows: None,
            inputs: vec![join, scan("c", None)],
        };
        let view = View { name: "v".into(), materialized: true, stateful: true, rows: Some(3), plan: union };
        let expected = "\
v: kept up to date, with state, 3 rows
└─ union
   ├─ join inner on a.x = b.x
   │  ├─ scan a, 1 row
   │  └─ scan b, 20 rows
   └─ scan c

(LSN 7)
";
        assert_eq!(drawn(&Explanation { lsn: 7, views: vec![view] }), expected);
    }
}
