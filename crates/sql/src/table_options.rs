use datafusion::sql::sqlparser::ast::{CreateTableOptions, Expr, Ident, Spanned, SqlOption, Value};
use headwater_types::{ChangesKept, Column, ColumnType, Retention};

use crate::locate::Locator;
use crate::source::{Place, Refusal};
use crate::suggest;

const OPTIONS: [&str; 3] = ["changes", "materialized", "retention"];
const CHANGES_HINT: &str = "write 'changes' = 'off', '<number> <unit>' or '<number> <unit>, <number> <size>', \
                            for instance '7 days' or '7 days, 10 GiB'";
const RETENTION_HINT: &str = "write 'retention' = '<number> <unit> on <column>', for instance '7 days on at'";

/// What `WITH (…)` behind a table says.
#[derive(Debug)]
pub(crate) struct TableOptions {
    pub(crate) materialized: bool,
    pub(crate) retention: Option<Retention>,
    pub(crate) changes: ChangesKept,
    /// The last option, to point at.
    pub(crate) place: Option<Place>,
}

/// Reads the options of a table with these columns.
pub(crate) fn compile(
    options: &CreateTableOptions,
    columns: &[Column],
    locator: Locator<'_>,
) -> Result<TableOptions, Refusal> {
    let mut compiled =
        TableOptions { materialized: true, retention: None, changes: ChangesKept::Usual, place: None };
    let list = match options {
        CreateTableOptions::None => return Ok(compiled),
        CreateTableOptions::With(list) => list,
        _ => {
            let refusal =
                Refusal::unsupported("table options stand in WITH (…)", "write WITH ('name' = 'value')");
            return Err(refusal.at_place(locator.keyword(&["options", "tblproperties", "engine"])));
        }
    };
    let mut seen = Vec::new();
    for option in list {
        let (key, value) = key_value(option)?;
        let name = key.value.to_ascii_lowercase();
        let place = locator.quoted(&key.value).or_else(|| locator.identifier(&key.value));
        if seen.contains(&name) {
            return Err(
                invalid(format!("the option '{name}' is given twice"), "give it once").at_place(place)
            );
        }
        compiled.place = place;
        match name.as_str() {
            "materialized" => {
                compiled.materialized = boolean(value).map_err(|refusal| refusal.at_place(place))?
            }
            "retention" => {
                compiled.retention =
                    Some(retention(value, columns).map_err(|refusal| refusal.at_place(place))?);
            }
            "changes" => {
                compiled.changes = changes_kept(value).map_err(|refusal| refusal.at_place(place))?;
            }
            _ => {
                let mut refusal = invalid(format!("unknown option '{name}'"), "");
                refusal.hint = suggest::hint(&name, OPTIONS, "options");
                return Err(refusal.at_place(place));
            }
        }
        seen.push(name);
    }
    Ok(compiled)
}

fn invalid(message: String, hint: &str) -> Refusal {
    Refusal::new("invalid_option", message).hint(hint)
}

fn key_value(option: &SqlOption) -> Result<(&Ident, &Expr), Refusal> {
    match option {
        SqlOption::KeyValue { key, value } => Ok((key, value)),
        other => {
            Err(invalid("an option is a name and a value".to_owned(), "write 'name' = 'value'")
                .at(other.span()))
        }
    }
}

/// The text of an option's value: quoted, a bare word, a number or a truth value.
fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => Some(text.clone()),
            Value::Boolean(truth) => Some(truth.to_string()),
            _ => None,
        },
        Expr::Identifier(ident) => Some(ident.value.clone()),
        _ => None,
    }
}

fn boolean(value: &Expr) -> Result<bool, Refusal> {
    match text(value).map(|text| text.to_ascii_lowercase()).as_deref() {
        Some("true") => Ok(true),
        Some("false") => Ok(false),
        _ => Err(invalid(format!("{value} is neither 'true' nor 'false'"), "write 'true' or 'false'")),
    }
}

/// Reads the options of a view.
pub(crate) fn compile_of_view(
    options: &CreateTableOptions,
    locator: Locator<'_>,
) -> Result<ChangesKept, Refusal> {
    let refuse = || {
        Refusal::unsupported("a view takes the option 'changes' only", "write WITH ('changes' = '7 days')")
            .at_place(locator.start())
    };
    match options {
        CreateTableOptions::None => Ok(ChangesKept::Usual),
        CreateTableOptions::With(list) => match list.as_slice() {
            [option] => {
                let (key, value) = key_value(option)?;
                let place = locator.quoted(&key.value).or_else(|| locator.identifier(&key.value));
                if !key.value.eq_ignore_ascii_case("changes") {
                    return Err(refuse().at_place(place));
                }
                changes_kept(value).map_err(|refusal| refusal.at_place(place))
            }
            _ => Err(refuse()),
        },
        _ => Err(refuse()),
    }
}

/// `off`, `<number> <unit>` or `<number> <unit>, <number> <size>`
fn changes_kept(value: &Expr) -> Result<ChangesKept, Refusal> {
    let refuse = || invalid(format!("{value} does not say how much is kept"), CHANGES_HINT);
    let text = text(value).ok_or_else(refuse)?;
    if text.trim().eq_ignore_ascii_case("off") {
        return Ok(ChangesKept::Off);
    }
    let (interval, size) = match text.split_once(',') {
        Some((interval, size)) => (interval, Some(size)),
        None => (text.as_str(), None),
    };
    let micros = interval_micros(interval).ok_or_else(refuse)?;
    let bytes = size.map(|size| size_bytes(size).ok_or_else(refuse)).transpose()?;
    Ok(ChangesKept::AtMost { micros, bytes })
}

/// Bytes of `512 MiB` or `10 GiB`; positive.
fn size_bytes(text: &str) -> Option<u64> {
    let (number, unit) = text.trim().split_once(' ')?;
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "kib" => 10,
        "mib" => 20,
        "gib" => 30,
        "tib" => 40,
        _ => return None,
    };
    let number = number.parse::<u64>().ok().filter(|number| *number > 0)?;
    number.checked_mul(1 << shift)
}

/// `<number> <unit> on <column>`
fn retention(value: &Expr, columns: &[Column]) -> Result<Retention, Refusal> {
    let refuse = |message: String| invalid(message, RETENTION_HINT);
    let text = text(value).ok_or_else(|| refuse(format!("{value} is not a text")))?;
    let (interval, column) = split_at_on(&text).ok_or_else(|| refuse(format!("{value} names no column")))?;
    let keep_micros =
        interval_micros(interval).ok_or_else(|| refuse(format!("{interval:?} is not an interval")))?;
    let known = |name: &str| columns.iter().position(|known| known.name.as_str() == name);
    let index = known(column).or_else(|| known(&column.to_ascii_lowercase())).ok_or_else(|| {
        let mut refusal = Refusal::new("unknown_column", format!("unknown column {column:?}"));
        refusal.hint = suggest::hint(column, columns.iter().map(|known| known.name.as_str()), "columns");
        refusal
    })?;
    match columns[index].column_type {
        ColumnType::Date | ColumnType::Timestamp | ColumnType::TimestampNanos => {
            Ok(Retention { column: index, keep_micros })
        }
        other => Err(invalid(
            format!("retention by {column:?} needs a time, and it is {other}"),
            "name a TIMESTAMP or DATE column",
        )),
    }
}

fn split_at_on(text: &str) -> Option<(&str, &str)> {
    let lower = text.to_ascii_lowercase();
    let at = lower.find(" on ")?;
    let column = text[at + 4..].trim().trim_matches('"');
    (!column.is_empty()).then(|| (text[..at].trim(), column))
}

/// Microseconds of `7 days`, `12 hours`, `1 day 6 hours`; positive.
fn interval_micros(text: &str) -> Option<i64> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let mut pairs = words.chunks(2).map(|pair| match pair {
        [number, unit] => number.parse::<i64>().ok().filter(|n| *n > 0)?.checked_mul(unit_micros(unit)?),
        _ => None,
    });
    let total = pairs.try_fold(0i64, |total, micros| total.checked_add(micros?))?;
    (total > 0).then_some(total)
}

fn unit_micros(unit: &str) -> Option<i64> {
    let unit = unit.to_ascii_lowercase();
    Some(match unit.strip_suffix('s').unwrap_or(&unit) {
        "second" => 1_000_000,
        "minute" => 60_000_000,
        "hour" => 3_600_000_000,
        "day" => 86_400_000_000,
        "week" => 604_800_000_000,
        _ => return None,
    })
}
