//! A script in batch: statements fill the tables, queries ask them.

use crate::Tally;
use crate::cells::{expected, found};
use crate::file::{Kind, Record, Script};
use crate::store::{Change, Store};

/// What happens in a script, in order.
pub enum Event<'a> {
    Changed(Change),
    Asked(&'a Record),
}

/// Compares every query that is for batch, and says what happened to the tables.
pub fn run<'a>(script: &'a Script, tally: &mut Tally) -> Vec<Event<'a>> {
    let definitions: Vec<String> = script.definitions().map(|sql| format!("{sql};\n")).collect();
    let mut store = Store::new(&definitions.concat());
    let mut events = Vec::new();
    for record in &script.records {
        match &record.kind {
            Kind::Statement(sql) if sql.starts_with("CREATE ") => {}
            Kind::Statement(sql) => events.push(Event::Changed(store.change(sql))),
            Kind::Failing(sql) => {
                tally.failed_as_expected += 1;
                if store.query(sql).is_ok() {
                    tally
                        .failures
                        .push(format!("{}\n{sql}\nthis must fail", script.place(record, "in batch")));
                }
            }
            Kind::Query(query) => {
                events.push(Event::Asked(record));
                if !record.is_for("batch") {
                    continue;
                }
                tally.batch += 1;
                let place = script.place(record, "in batch");
                match store.query(&query.sql) {
                    Ok(batches) => {
                        tally.compare(&place, &query.sql, &expected(query), &found(query, &batches))
                    }
                    Err(error) => tally.failures.push(format!("{place}\n{}\n{error}", query.sql)),
                }
            }
        }
    }
    events
}
