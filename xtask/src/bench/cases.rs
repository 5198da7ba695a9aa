/// What a case pushes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The limit server.
    Limit,
    /// A table of Headwater.
    Headwater(Table),
}

/// How the table of a case is declared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Table {
    /// Rows pass through and are not kept.
    PassThrough,
    /// Rows are kept; there is no key.
    Stored,
    /// Rows are kept by key: 10,000 of them, so that nearly all pushes replace a row.
    Keyed,
}

impl Table {
    /// The program that declares the table.
    pub(crate) fn program(self) -> String {
        let (key, options) = match self {
            Table::PassThrough => ("", " WITH ('materialized' = 'false')"),
            Table::Stored => ("", ""),
            Table::Keyed => (" PRIMARY KEY", ""),
        };
        format!(
            "CREATE TABLE events (user_id VARCHAR{key}, timestamp TIMESTAMP, clicked INT, ad_id VARCHAR, \
             price DOUBLE, session VARCHAR){options};"
        )
    }
}

/// One row of the result.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) target: Target,
    /// Records of one request.
    pub(crate) records: u32,
    /// Connections that push at once.
    pub(crate) connections: u32,
    /// Whether the data lies in memory, where a sync costs nothing.
    pub(crate) without_sync: bool,
}

const fn case(name: &'static str, target: Target, records: u32, connections: u32) -> Case {
    Case { name, target, records, connections, without_sync: false }
}

/// In this order in each round. The first case of each shape is the limit that the others are compared with.
pub(crate) const CASES: [Case; 11] = [
    case("limit server", Target::Limit, 100, 64),
    case("materialized=false", Target::Headwater(Table::PassThrough), 100, 64),
    case("stored, no key", Target::Headwater(Table::Stored), 100, 64),
    case("stored, primary key", Target::Headwater(Table::Keyed), 100, 64),
    case("limit server", Target::Limit, 1, 64),
    case("materialized=false", Target::Headwater(Table::PassThrough), 1, 64),
    case("stored, primary key", Target::Headwater(Table::Keyed), 1, 64),
    case("limit server", Target::Limit, 1, 1),
    case("materialized=false", Target::Headwater(Table::PassThrough), 1, 1),
    case("stored, primary key", Target::Headwater(Table::Keyed), 1, 1),
    Case {
        name: "materialized=false, without sync",
        target: Target::Headwater(Table::PassThrough),
        records: 1,
        connections: 1,
        without_sync: true,
    },
];
