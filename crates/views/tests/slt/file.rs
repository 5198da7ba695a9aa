//! The part of the sqllogictest format that the cases use: statements, queries with sorted rows whose cells are
//! separated by tabs, queries that fail, and conditions on the engine. `headwater`, `batch` and `incremental` are names of engines.

/// One file.
pub struct Script {
    pub name: String,
    pub records: Vec<Record>,
}

pub struct Record {
    /// Where it starts, counted from one.
    pub line: usize,
    only: Option<String>,
    skip: Option<String>,
    pub kind: Kind,
}

pub enum Kind {
    Statement(String),
    Query(Query),
    /// A query that fails.
    Failing(String),
}

pub struct Query {
    /// One letter per column: `I` integers, `R` floats, `T` anything else.
    pub types: String,
    pub sql: String,
    pub rows: Vec<Vec<String>>,
}

impl Script {
    pub fn read(name: &str, text: &str) -> Script {
        let mut records = Vec::new();
        let mut block: Vec<&str> = Vec::new();
        for (number, line) in text.lines().chain([""]).enumerate() {
            if !line.is_empty() {
                block.push(line);
                continue;
            }
            let line = number + 1 - block.len();
            let lines: Vec<&str> = block.drain(..).skip_while(|line| line.starts_with('#')).collect();
            if !lines.is_empty() {
                records
                    .push(Record::read(line, &lines).unwrap_or_else(|| panic!("{name}:{line} is no record")));
            }
        }
        Script { name: name.to_owned(), records }
    }

    /// The statements that define tables and views, in order.
    pub fn definitions(&self) -> impl Iterator<Item = &str> {
        self.records.iter().filter_map(|record| match &record.kind {
            Kind::Statement(sql) if sql.starts_with("CREATE ") => Some(sql.as_str()),
            _ => None,
        })
    }

    /// Where a record stands, for people.
    pub fn place(&self, record: &Record, mode: &str) -> String {
        format!("tests/slt/{}:{} {mode}", self.name, record.line)
    }
}

impl Record {
    fn read(line: usize, lines: &[&str]) -> Option<Record> {
        let mut record = Record { line, only: None, skip: None, kind: Kind::Statement(String::new()) };
        let mut lines = lines;
        while let [first, rest @ ..] = lines {
            if let Some(engine) = first.strip_prefix("onlyif ") {
                record.only = Some(engine.to_owned());
            } else if let Some(engine) = first.strip_prefix("skipif ") {
                record.skip = Some(engine.to_owned());
            } else {
                break;
            }
            lines = rest;
        }
        let (first, rest) = lines.split_first()?;
        record.kind = match first.strip_prefix("query ") {
            Some("error") => Kind::Failing(rest.join("\n")),
            Some(head) => Kind::Query(Query::read(head.strip_suffix(" rowsort")?, rest)?),
            None if *first == "statement ok" => Kind::Statement(rest.join("\n")),
            None => return None,
        };
        Some(record)
    }

    /// Whether it is for this engine.
    pub fn is_for(&self, engine: &str) -> bool {
        let is = |name: &Option<String>, default: bool| {
            name.as_deref().map_or(default, |name| name == engine || name == "headwater")
        };
        is(&self.only, true) && !is(&self.skip, false)
    }
}

impl Query {
    fn read(types: &str, lines: &[&str]) -> Option<Query> {
        let end = lines.iter().position(|line| *line == "----")?;
        let row = |line: &&str| line.split('\t').map(str::to_owned).collect();
        Some(Query {
            types: types.to_owned(),
            sql: lines[..end].join("\n"),
            rows: lines[end + 1..].iter().map(row).collect(),
        })
    }
}
