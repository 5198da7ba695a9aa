/// The program as the user sees it.
pub(super) const TEXT: &str = include_str!("../../../../examples/flights/flights.sql");

/// A view of the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct View {
    pub(super) name: &'static str,
    pub(super) materialized: bool,
    /// What follows AS.
    pub(super) query: &'static str,
}

/// The views, in the order of the program, which is one of dependency.
pub(super) fn views() -> Vec<View> {
    TEXT.split(';').filter_map(view).collect()
}

/// A query that computes a view from the base tables alone: every view before it becomes a part of the query.
pub(super) fn batch_query(name: &str) -> String {
    let views = views();
    let upto = views.iter().position(|view| view.name == name).map_or(0, |position| position + 1);
    let parts = views[..upto].iter().map(|view| format!("{} AS ({})", view.name, view.query));
    format!("WITH {} SELECT * FROM {name}", parts.collect::<Vec<_>>().join(",\n"))
}

fn view(statement: &'static str) -> Option<View> {
    let start = statement.find("CREATE ")?;
    let (head, query) = statement[start..].split_once(" AS\n")?;
    let (materialized, name) = match head.strip_prefix("CREATE MATERIALIZED VIEW ") {
        Some(name) => (true, name),
        None => (false, head.strip_prefix("CREATE VIEW ")?),
    };
    Some(View { name, materialized, query: query.trim() })
}

#[cfg(test)]
mod tests;
