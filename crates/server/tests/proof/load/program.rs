//! Two programs over the same tables. The second has one view more.

/// A materialised view and the SELECT that computes it from the tables alone.
pub(crate) struct View {
    pub(crate) name: &'static str,
    definition: &'static str,
    pub(crate) batch: &'static str,
}

/// Kinds of event from here on come through the door for several tables.
pub(crate) const MIXED_KIND: i64 = 100;

const TABLES: &str = "
CREATE TABLE events (
    client BIGINT NOT NULL, id BIGINT NOT NULL, kind BIGINT NOT NULL, n BIGINT NOT NULL,
    amount DOUBLE NOT NULL, note VARCHAR
);
CREATE TABLE accounts (id BIGINT PRIMARY KEY, client BIGINT, balance BIGINT, quarter DOUBLE);
";

const ALWAYS: &[View] = &[
    View {
        name: "by_kind",
        definition: "SELECT kind, COUNT(*) AS events, SUM(n) AS n, SUM(amount) AS amount FROM events GROUP BY kind",
        batch: "SELECT kind, COUNT(*) AS events, SUM(n) AS n, SUM(amount) AS amount FROM events GROUP BY kind",
    },
    View {
        name: "by_client",
        definition: "SELECT client, COUNT(*) AS accounts, SUM(balance) AS balance, SUM(quarter) AS quarter FROM accounts GROUP BY client",
        batch: "SELECT client, COUNT(*) AS accounts, SUM(balance) AS balance, SUM(quarter) AS quarter FROM accounts GROUP BY client",
    },
    View {
        name: "rich",
        definition: "SELECT id, balance FROM accounts WHERE balance > 500",
        batch: "SELECT id, balance FROM accounts WHERE balance > 500",
    },
    View {
        name: "totals",
        definition: "SELECT COUNT(*) AS kinds, SUM(events) AS events, SUM(amount) AS amount FROM by_kind",
        batch: "SELECT COUNT(*) AS kinds, SUM(events) AS events, SUM(amount) AS amount FROM (SELECT kind, COUNT(*) AS events, SUM(amount) AS amount FROM events GROUP BY kind) k",
    },
];

const SOMETIMES: View = View {
    name: "owned",
    definition: "SELECT a.client, COUNT(*) AS pairs, SUM(e.amount) AS amount, MIN(e.n) AS least, MAX(e.n) AS most FROM accounts a JOIN events e ON e.id = a.id GROUP BY a.client",
    batch: "SELECT a.client, COUNT(*) AS pairs, SUM(e.amount) AS amount, MIN(e.n) AS least, MAX(e.n) AS most FROM accounts a JOIN events e ON e.id = a.id GROUP BY a.client",
};

/// The views of the program with or without the one that comes and goes.
pub(crate) fn views(with_all: bool) -> Vec<&'static View> {
    ALWAYS.iter().chain(with_all.then_some(&SOMETIMES)).collect()
}

/// The text of that program.
pub(crate) fn text(with_all: bool) -> String {
    let view = |view: &View| format!("CREATE MATERIALIZED VIEW {} AS {};\n", view.name, view.definition);
    TABLES.to_owned() + &views(with_all).into_iter().map(view).collect::<String>()
}
