//! Queries: their SQL, and their rows by plain loops.

use std::collections::BTreeMap;

use super::expression::{Expression, Scope};
use crate::value::{Row, Type, Value, canonical, row_text};

/// A table or view.
#[derive(Clone, Debug)]
pub struct Relation {
    pub name: String,
    pub columns: Vec<(String, Type)>,
}

#[derive(Clone, Debug)]
pub enum Query {
    Select(Box<Select>),
    UnionAll(Vec<Select>),
}

#[derive(Clone, Debug)]
pub struct Select {
    pub from: From,
    pub scope: Scope,
    pub filter: Option<Expression>,
    pub output: Output,
}

#[derive(Clone, Debug)]
pub enum From {
    Relation(String),
    /// The right relation, which is called `b`, the left being `a`; pairs of expressions over left and right scope;
    /// a condition over both.
    Join {
        left: String,
        right: String,
        left_columns: usize,
        on: Vec<(Expression, Expression)>,
        residual: Option<Expression>,
    },
}

#[derive(Clone, Debug)]
pub enum Output {
    Rows(Vec<Expression>),
    Groups { keys: Vec<Expression>, aggregates: Vec<Aggregate>, items: Vec<Item>, having: Option<usize> },
}

/// A column of a grouped query.
#[derive(Clone, Copy, Debug)]
pub enum Item {
    Key(usize),
    Aggregate(usize),
}

#[derive(Clone, Debug)]
pub struct Aggregate {
    pub function: Function,
    pub argument: Option<Expression>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Function {
    Count,
    Sum,
    Avg,
    Min,
    Max,
}

pub type Tables = BTreeMap<String, Vec<Row>>;

impl Query {
    pub fn types(&self) -> Vec<Type> {
        match self {
            Query::Select(select) => select.types(),
            Query::UnionAll(selects) => {
                let all: Vec<Vec<Type>> = selects.iter().map(Select::types).collect();
                (0..all[0].len()).map(|column| widest(all.iter().map(|types| types[column]))).collect()
            }
        }
    }

    pub fn sql(&self, names: &[String]) -> String {
        match self {
            Query::Select(select) => select.sql(names),
            Query::UnionAll(selects) => {
                selects.iter().map(|select| select.sql(names)).collect::<Vec<_>>().join("\nUNION ALL ")
            }
        }
    }

    pub fn rows(&self, tables: &Tables) -> Vec<Row> {
        match self {
            Query::Select(select) => select.rows(tables),
            Query::UnionAll(selects) => {
                let types = self.types();
                let widen =
                    |row: Row| row.into_iter().zip(&types).map(|(value, to)| widened(value, *to)).collect();
                selects.iter().flat_map(|select| select.rows(tables)).map(widen).collect()
            }
        }
    }
}

fn widest(types: impl Iterator<Item = Type>) -> Type {
    types
        .reduce(|left, right| match (left, right) {
            (Type::Double, _) | (_, Type::Double) => Type::Double,
            (Type::Big, _) | (_, Type::Big) => Type::Big,
            (same, _) => same,
        })
        .unwrap()
}

fn widened(value: Value, to: Type) -> Value {
    match (value, to) {
        (Value::Whole(whole), Type::Double) => Value::Float(whole as f64),
        (value, _) => value,
    }
}

impl Select {
    fn types(&self) -> Vec<Type> {
        match &self.output {
            Output::Rows(columns) => columns.iter().map(|column| column.data_type(&self.scope)).collect(),
            Output::Groups { keys, aggregates, items, .. } => {
                let data_type = |item: &Item| match item {
                    Item::Key(key) => keys[*key].data_type(&self.scope),
                    Item::Aggregate(aggregate) => aggregates[*aggregate].data_type(&self.scope),
                };
                items.iter().map(data_type).collect()
            }
        }
    }

    fn sql(&self, names: &[String]) -> String {
        let scope = &self.scope;
        let columns: Vec<String> = match &self.output {
            Output::Rows(columns) => columns.iter().map(|column| column.sql(scope)).collect(),
            Output::Groups { keys, aggregates, items, .. } => {
                let item = |item: &Item| match item {
                    Item::Key(key) => keys[*key].sql(scope),
                    Item::Aggregate(aggregate) => aggregates[*aggregate].sql(scope),
                };
                items.iter().map(item).collect()
            }
        };
        let columns: Vec<String> =
            columns.iter().zip(names).map(|(column, name)| format!("{column} AS {name}")).collect();
        let mut sql = format!("SELECT {} FROM {}", columns.join(", "), self.from.sql(scope));
        if let Some(filter) = &self.filter {
            sql += &format!(" WHERE {}", filter.sql(scope));
        }
        if let Output::Groups { keys, aggregates, having, .. } = &self.output {
            if !keys.is_empty() {
                sql += &format!(
                    " GROUP BY {}",
                    keys.iter().map(|key| key.sql(scope)).collect::<Vec<_>>().join(", ")
                );
            }
            if let Some(having) = having {
                sql += &format!(" HAVING {} IS NOT NULL AND COUNT(*) <> 2", aggregates[*having].sql(scope));
            }
        }
        sql
    }

    fn rows(&self, tables: &Tables) -> Vec<Row> {
        let scope = &self.scope;
        let mut rows = self.from.rows(tables, scope);
        if let Some(filter) = &self.filter {
            rows.retain(|row| filter.holds(row, scope));
        }
        match &self.output {
            Output::Rows(columns) => rows
                .iter()
                .map(|row| columns.iter().map(|column| column.value_or_null(row, scope)).collect())
                .collect(),
            Output::Groups { keys, aggregates, items, having } => {
                let mut groups: BTreeMap<String, (Row, Vec<Row>)> = BTreeMap::new();
                if keys.is_empty() {
                    groups.insert(String::new(), Default::default());
                }
                for row in rows {
                    let key: Row = keys.iter().map(|key| key.value_or_null(&row, scope)).collect();
                    groups.entry(row_text(&key)).or_insert_with(|| (key, Vec::new())).1.push(row);
                }
                let kept = |rows: &[Row]| {
                    having.is_none_or(|having| {
                        rows.len() != 2 && !aggregates[having].value(rows, scope).is_null()
                    })
                };
                let item = |key: &Row, rows: &[Row], item: &Item| match item {
                    Item::Key(index) => key[*index].clone(),
                    Item::Aggregate(index) => aggregates[*index].value(rows, scope),
                };
                let groups = groups.values().filter(|(_, rows)| kept(rows));
                groups.map(|(key, rows)| items.iter().map(|i| item(key, rows, i)).collect()).collect()
            }
        }
    }
}

impl From {
    fn sql(&self, scope: &Scope) -> String {
        match self {
            From::Relation(name) => name.clone(),
            From::Join { left, right, left_columns, on, residual } => {
                let right_scope = Scope { columns: scope.columns[*left_columns..].to_vec() };
                let keys = on
                    .iter()
                    .map(|(left, right)| format!("{} = {}", left.sql(scope), right.sql(&right_scope)));
                let conditions: Vec<String> =
                    keys.chain(residual.iter().map(|residual| residual.sql(scope))).collect();
                format!("{left} a JOIN {right} b ON {}", conditions.join(" AND "))
            }
        }
    }

    fn rows(&self, tables: &Tables, scope: &Scope) -> Vec<Row> {
        match self {
            From::Relation(name) => tables[name].clone(),
            From::Join { left, right, left_columns, on, residual } => {
                let right_scope = Scope { columns: scope.columns[*left_columns..].to_vec() };
                let mut rows = Vec::new();
                for left in &tables[left] {
                    for right in &tables[right] {
                        let row: Row = left.iter().chain(right).cloned().collect();
                        let meets = on.iter().all(|(left_key, right_key)| {
                            let left_key = left_key.value_or_null(left, scope);
                            let right_key = right_key.value_or_null(right, &right_scope);
                            !left_key.is_null() && !right_key.is_null() && left_key.order(&right_key).is_eq()
                        });
                        if meets && residual.as_ref().is_none_or(|residual| residual.holds(&row, scope)) {
                            rows.push(row);
                        }
                    }
                }
                rows
            }
        }
    }
}

impl Aggregate {
    fn data_type(&self, scope: &Scope) -> Type {
        let argument = self.argument.as_ref().map(|argument| argument.data_type(scope));
        match (self.function, argument) {
            (Function::Count, _) => Type::Big,
            (Function::Min | Function::Max, Some(data_type)) => data_type,
            (Function::Sum, Some(Type::Int | Type::Big)) => Type::Big,
            (Function::Sum, Some(Type::Decimal { precision, scale })) => {
                Type::Decimal { precision: 38.min(precision + 10), scale }
            }
            (Function::Avg, Some(Type::Decimal { precision, scale })) => {
                Type::Decimal { precision: 38.min(precision + 4), scale: 38.min(scale + 4) }
            }
            _ => Type::Double,
        }
    }

    fn sql(&self, scope: &Scope) -> String {
        let argument = self.argument.as_ref().map_or("*".to_owned(), |argument| argument.sql(scope));
        format!("{}({argument})", format!("{:?}", self.function).to_uppercase())
    }

    fn value(&self, rows: &[Row], scope: &Scope) -> Value {
        let Some(argument) = &self.argument else { return Value::Whole(rows.len() as i128) };
        let values: Vec<Value> = rows
            .iter()
            .map(|row| argument.value_or_null(row, scope))
            .filter(|value| !value.is_null())
            .collect();
        match self.function {
            Function::Count => Value::Whole(values.len() as i128),
            Function::Min => values.into_iter().min_by(Value::order).unwrap_or(Value::Null),
            Function::Max => values.into_iter().max_by(Value::order).unwrap_or(Value::Null),
            Function::Sum | Function::Avg if values.is_empty() => Value::Null,
            Function::Sum => total(&values, 1, argument.data_type(scope), self.data_type(scope)),
            Function::Avg => total(&values, values.len(), argument.data_type(scope), self.data_type(scope)),
        }
    }
}

/// The sum of values divided by a count. Floats are sums of few binary digits here, so adding them up is exact.
fn total(values: &[Value], divisor: usize, argument: Type, result: Type) -> Value {
    if argument == Type::Double {
        let sum: f64 =
            values.iter().map(|value| if let Value::Float(float) = value { *float } else { 0.0 }).sum();
        return Value::Float(canonical(sum / divisor as f64));
    }
    let sum: i128 = values.iter().map(|value| if let Value::Whole(whole) = value { *whole } else { 0 }).sum();
    match (argument, result) {
        (_, Type::Double) => Value::Float(nearest_float(sum, divisor as i128)),
        (Type::Decimal { scale: from, .. }, Type::Decimal { scale: to, .. }) => {
            Value::Whole(rounded_quotient(sum * 10_i128.pow(u32::from(to - from)), divisor as i128))
        }
        _ => i64::try_from(sum).map_or(Value::Null, |sum| Value::Whole(sum.into())),
    }
}

/// Half away from zero.
fn rounded_quotient(sum: i128, divisor: i128) -> i128 {
    (sum.abs() / divisor + i128::from(sum.abs() % divisor * 2 >= divisor)) * sum.signum()
}

/// By long division to sixty decimals, and one more that says whether others follow: parsing rounds correctly.
fn nearest_float(sum: i128, divisor: i128) -> f64 {
    let mut decimal = format!("{}.", sum.abs() / divisor);
    let mut rest = sum.abs() % divisor;
    for _ in 0..60 {
        decimal += &(rest * 10 / divisor).to_string();
        rest = rest * 10 % divisor;
    }
    decimal += if rest == 0 { "0" } else { "1" };
    canonical(decimal.parse::<f64>().unwrap() * sum.signum() as f64)
}
