use serde_json::{Map, Value};
use unicode_width::UnicodeWidthStr;

/// Rows as a table of text: a line of names, a rule, a line per row; numbers to the right.
#[must_use]
pub fn render(columns: &[String], rows: &[Map<String, Value>]) -> String {
    let cells = rows.iter().map(|row| columns.iter().map(|name| text(row.get(name))).collect::<Vec<_>>());
    let cells = cells.collect::<Vec<_>>();
    let layout = columns.iter().enumerate().map(|(index, name)| Layout {
        width: cells.iter().map(|row| width(&row[index])).chain([width(name)]).max().unwrap_or(0),
        is_number: rows.iter().any(|row| matches!(row.get(name), Some(Value::Number(_)))),
    });
    let layout = layout.collect::<Vec<_>>();
    let mut table = String::new();
    push_line(&mut table, columns, &layout, " | ");
    let rules = layout.iter().map(|column| "-".repeat(column.width)).collect::<Vec<_>>();
    push_line(&mut table, &rules, &layout, "-+-");
    for row in &cells {
        push_line(&mut table, row, &layout, " | ");
    }
    table
}

struct Layout {
    width: usize,
    is_number: bool,
}

fn push_line(table: &mut String, cells: &[String], layout: &[Layout], separator: &str) {
    let padded = cells.iter().zip(layout).map(|(cell, column)| {
        let padding = " ".repeat(column.width - width(cell));
        if column.is_number { padding + cell } else { format!("{cell}{padding}") }
    });
    let line = padded.collect::<Vec<_>>().join(separator);
    table.push_str(line.trim_end());
    table.push('\n');
}

/// A value in one line. Control characters are escaped: rows must not move the cursor of who reads them.
fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => "NULL".to_owned(),
        Some(Value::String(text)) => text
            .chars()
            .flat_map(|c| if c.is_control() { c.escape_default().collect::<Vec<_>>() } else { vec![c] })
            .collect(),
        Some(other) => other.to_string(),
    }
}

/// Columns of the terminal that a text takes: some characters take two, some none.
fn width(cell: &str) -> usize {
    cell.width()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_to_the_right_and_nulls_are_told() {
        let rows: Vec<Map<String, Value>> = serde_json::from_str(
            r#"[{"customer":"ada","n":1,"total":12.5},{"customer":null,"n":200,"total":9007199254740993}]"#,
        )
        .unwrap();
        let columns = ["customer", "n", "total"].map(str::to_owned);
        let expected = "\
customer |   n |            total
---------+-----+-----------------
ada      |   1 |             12.5
NULL     | 200 | 9007199254740993
";
        assert_eq!(render(&columns, &rows), expected);
    }

    #[test]
    fn a_row_cannot_move_the_cursor() {
        let rows: Vec<Map<String, Value>> = serde_json::from_str(r#"[{"a":"\u001b[2Jx\n"}]"#).unwrap();
        assert!(render(&["a".to_owned()], &rows).contains(r"\u{1b}[2Jx\n"));
    }
}
