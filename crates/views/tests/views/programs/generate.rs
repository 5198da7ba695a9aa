//! Random schemas, programs and rows. Small domains, so that keys meet and rows repeat; a few extremes, so that
//! arithmetic overflows.

use super::expression::{Expression, Scope};
use super::query::{Aggregate, From, Function, Item, Output, Query, Relation, Select};
use super::random::Random;
use crate::value::{Row, Type, Value};

/// What programs and rows are made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Domain {
    /// All that views support, values at the ends of their types' ranges among it.
    Everything,
    /// What DuckDB means as we do. Left out are: what has no value, as DuckDB fails as a whole (or gives NULL for a
    /// part of the expression); casts of floats to integers, which it rounds; AVG of decimals, which it makes floats.
    Portable,
}

/// A program with the means to compute it anew.
#[derive(Debug)]
pub struct Generated {
    pub domain: Domain,
    pub tables: Vec<Relation>,
    pub views: Vec<(Relation, Query, bool)>,
}

impl Generated {
    pub fn new(random: &mut Random, domain: Domain) -> Generated {
        let tables: Vec<Relation> = (0..1 + random.below(3)).map(|index| table(random, index)).collect();
        let mut program = Generated { domain, tables, views: Vec::new() };
        for index in 0..1 + random.below(3) {
            let view = program.view(random, index);
            program.views.push(view);
        }
        if program.views.iter().all(|(_, _, materialized)| !materialized) {
            program.views[0].2 = true;
        }
        program
    }

    pub fn sql(&self) -> String {
        let mut sql = String::new();
        for table in &self.tables {
            let columns: Vec<String> =
                table.columns.iter().map(|(name, kind)| format!("{name} {}", kind.sql())).collect();
            sql += &format!("CREATE TABLE {} ({});\n", table.name, columns.join(", "));
        }
        for (relation, query, materialized) in &self.views {
            let names: Vec<String> = relation.columns.iter().map(|(name, _)| name.clone()).collect();
            let kind = if *materialized { "MATERIALIZED VIEW" } else { "VIEW" };
            sql += &format!("CREATE {kind} {} AS {};\n", relation.name, query.sql(&names));
        }
        sql
    }

    pub fn view(&self, random: &mut Random, index: usize) -> (Relation, Query, bool) {
        let materialized = !random.one_in(5);
        let mut relations: Vec<&Relation> = self.tables.iter().collect();
        relations.extend(self.views.iter().map(|(relation, _, _)| relation));
        let domain = self.domain;
        let query = Maker { random, domain, relations, fallible: materialized, short_floats: true }.query();
        let columns =
            query.types().into_iter().enumerate().map(|(column, kind)| (format!("v{column}"), kind));
        (Relation { name: format!("view_{index}"), columns: columns.collect() }, query, materialized)
    }
}

fn table(random: &mut Random, index: usize) -> Relation {
    let types = [
        Type::Int,
        Type::Big,
        Type::Big,
        Type::Double,
        Type::Decimal { precision: 10, scale: 2 },
        Type::Decimal { precision: 30, scale: 3 },
        Type::Text,
        Type::Date,
        Type::Bool,
    ];
    let columns = (0..2 + random.below(4)).map(|column| (format!("c{column}"), *random.pick(&types)));
    Relation { name: format!("table_{index}"), columns: columns.collect() }
}

pub fn row(random: &mut Random, relation: &Relation, domain: Domain) -> Row {
    relation
        .columns
        .iter()
        .map(|(_, kind)| if random.one_in(5) { Value::Null } else { value(random, *kind, domain) })
        .collect()
}

fn value(random: &mut Random, kind: Type, domain: Domain) -> Value {
    let small = random.below(5) as i128 - 2;
    let extreme = random.one_in(12) && domain == Domain::Everything;
    match kind {
        Type::Bool => Value::Bool(random.one_in(2)),
        Type::Int if extreme => Value::Whole((*random.pick(&[i32::MIN, i32::MAX])).into()),
        Type::Big if extreme => Value::Whole((*random.pick(&[i64::MIN, i64::MAX, i64::MAX - 1])).into()),
        Type::Decimal { precision, .. } if extreme => Value::Whole(10_i128.pow(precision.into()) - 1),
        Type::Double if extreme => {
            Value::Float(*random.pick(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e9]))
        }
        Type::Double => Value::Float(small as f64 / 4.0 + 0.0),
        Type::Text => {
            Value::Text((*random.pick(&["", "a", "ab", "b", "é", "7", "-1", "9999999999"])).to_owned())
        }
        Type::Int | Type::Big | Type::Decimal { .. } | Type::Date => Value::Whole(small),
    }
}

struct Maker<'a> {
    random: &'a mut Random,
    domain: Domain,
    relations: Vec<&'a Relation>,
    /// Whether expressions may fail. In a plain view they may not: it is expanded where it is read, so that a
    /// failure would reach the expression around it.
    fallible: bool,
    /// Whether all floats in scope are a table's, which have few binary digits: plain loops add those up exactly.
    short_floats: bool,
}

impl Maker<'_> {
    fn query(&mut self) -> Query {
        if !self.random.one_in(5) {
            return Query::Select(Box::new(self.select(None)));
        }
        let first = self.select(None);
        let types = Query::Select(Box::new(first.clone())).types();
        let others: Vec<Select> = (0..1 + self.random.below(2)).map(|_| self.select(Some(&types))).collect();
        Query::UnionAll(std::iter::once(first).chain(others).collect())
    }

    /// A query, with columns that go under these types if given.
    fn select(&mut self, types: Option<&[Type]>) -> Select {
        let (from, scope) = if self.random.one_in(3) { self.join() } else { self.relation() };
        let filter = self.random.one_in(3).then(|| self.condition(&scope));
        let output = match types {
            Some(types) => Output::Rows(types.iter().map(|kind| self.union_column(&scope, *kind)).collect()),
            None if self.random.one_in(2) => self.groups(&scope),
            None => Output::Rows((0..1 + self.random.below(4)).map(|_| self.any(&scope)).collect()),
        };
        Select { from, scope, filter, output }
    }

    fn relation(&mut self) -> (From, Scope) {
        let relation = *self.random.pick(&self.relations);
        self.short_floats = is_table(relation);
        (From::Relation(relation.name.clone()), Scope { columns: relation.columns.clone() })
    }

    fn join(&mut self) -> (From, Scope) {
        let (left, right) = (*self.random.pick(&self.relations), *self.random.pick(&self.relations));
        let named = |side: &str, relation: &Relation| {
            relation.columns.iter().map(|(name, kind)| (format!("{side}.{name}"), *kind)).collect::<Vec<_>>()
        };
        let (left_scope, right_scope) =
            (Scope { columns: named("a", left) }, Scope { columns: named("b", right) });
        let mut on = Vec::new();
        for _ in 0..1 + self.random.below(2) {
            let key = self.random.below(left_scope.columns.len());
            let kind = left_scope.columns[key].1;
            let matches: Vec<usize> = (0..right_scope.columns.len())
                .filter(|column| right_scope.columns[*column].1 == kind)
                .collect();
            if !matches.is_empty() {
                on.push((Expression::Column(key), Expression::Column(*self.random.pick(&matches))));
            }
        }
        if on.is_empty() {
            return self.relation();
        }
        if self.fallible && self.random.one_in(3) {
            let (left, right) =
                (self.of_type(&left_scope, Type::Big, 2), self.of_type(&right_scope, Type::Big, 1));
            if names_column(&left) && names_column(&right) {
                on.push((left, right));
            }
        }
        self.short_floats = is_table(left) && is_table(right);
        let scope = Scope { columns: [left_scope.columns.clone(), right_scope.columns].concat() };
        let residual = self.random.one_in(3).then(|| self.condition(&scope));
        let left_columns = left_scope.columns.len();
        let from =
            From::Join { left: left.name.clone(), right: right.name.clone(), left_columns, on, residual };
        (from, scope)
    }

    fn groups(&mut self, scope: &Scope) -> Output {
        let mut keys: Vec<Expression> = Vec::new();
        for _ in 0..self.random.below(4) {
            let key = self.any(scope);
            if names_column(&key) && !keys.iter().any(|known| known.sql(scope) == key.sql(scope)) {
                keys.push(key);
            }
        }
        let floor = usize::from(keys.is_empty());
        let aggregates: Vec<Aggregate> =
            (0..floor + self.random.below(5)).map(|_| self.aggregate(scope)).collect();
        let mut items: Vec<Item> =
            (0..keys.len()).map(Item::Key).chain((0..aggregates.len()).map(Item::Aggregate)).collect();
        for position in (1..items.len()).rev() {
            items.swap(position, self.random.below(position + 1));
        }
        let having =
            (!aggregates.is_empty() && self.random.one_in(3)).then(|| self.random.below(aggregates.len()));
        Output::Groups { keys, aggregates, items, having }
    }

    fn aggregate(&mut self, scope: &Scope) -> Aggregate {
        let function =
            *self.random.pick(&[Function::Count, Function::Sum, Function::Avg, Function::Min, Function::Max]);
        let argument = match function {
            Function::Count if self.random.one_in(2) => None,
            Function::Sum | Function::Avg => {
                let adds_up = |kind: &Type| match kind {
                    Type::Double => self.short_floats,
                    Type::Decimal { .. } => function == Function::Sum || self.domain == Domain::Everything,
                    other => other.is_number(),
                };
                let numbers: Vec<Type> =
                    scope.columns.iter().map(|(_, kind)| *kind).filter(adds_up).collect();
                let kind = if numbers.is_empty() { Type::Big } else { *self.random.pick(&numbers) };
                Some(self.of_type(scope, kind, 1))
            }
            _ => Some(self.any(scope)),
        };
        Aggregate {
            function,
            argument: argument.filter(|argument| function != Function::Count || names_column(argument)),
        }
    }

    fn any(&mut self, scope: &Scope) -> Expression {
        let kind = scope.columns[self.random.below(scope.columns.len())].1;
        self.of_type(scope, kind, 2)
    }

    /// A column of this type, or of a narrower one now and then.
    fn union_column(&mut self, scope: &Scope, kind: Type) -> Expression {
        let narrower = match kind {
            Type::Double => Type::Int,
            Type::Big => Type::Int,
            other => other,
        };
        let kind = if self.random.one_in(3) { narrower } else { kind };
        self.of_type(scope, kind, 1)
    }

    fn column_or_literal(&mut self, scope: &Scope, kind: Type) -> Expression {
        let columns: Vec<usize> =
            (0..scope.columns.len()).filter(|column| scope.columns[*column].1 == kind).collect();
        if columns.is_empty() {
            return Expression::Literal(self.literal(kind), kind);
        }
        Expression::Column(*self.random.pick(&columns))
    }

    fn literal(&mut self, kind: Type) -> Value {
        match kind {
            Type::Double => Value::Float(*self.random.pick(&[0.5, 1.0, 2.0])),
            Type::Text => Value::Text("x".into()),
            Type::Bool => Value::Bool(true),
            Type::Decimal { scale, .. } => {
                Value::Whole(*self.random.pick(&[0, 1, 2]) * 10_i128.pow(scale.into()))
            }
            _ => Value::Whole(*self.random.pick(&[0, 1, 2])),
        }
    }

    /// An expression of this type that names a column, if there is one.
    fn of_type(&mut self, scope: &Scope, kind: Type, depth: usize) -> Expression {
        let leaf = self.column_or_literal(scope, kind);
        if depth == 0 || !names_column(&leaf) || self.random.one_in(2) {
            return leaf;
        }
        let leaf = Box::new(leaf);
        match (self.random.below(6), kind) {
            (0, _) => {
                let otherwise = self.of_type(scope, kind, depth - 1);
                Expression::Case(Box::new(self.condition(scope)), leaf, Box::new(otherwise))
            }
            (1, _) => Expression::Coalesce(leaf, Box::new(Expression::Literal(self.literal(kind), kind))),
            (2, Type::Int | Type::Big | Type::Double) if self.fallible => Expression::Negate(leaf),
            (3, Type::Int | Type::Big | Type::Double) if self.fallible => Expression::Absolute(leaf),
            (4, Type::Big | Type::Int) if self.fallible => self.cast(scope, kind),
            (_, Type::Int | Type::Big) if self.fallible => {
                let operators: &[char] = if self.domain == Domain::Everything {
                    &['+', '-', '*', '/', '%']
                } else {
                    &['+', '-', '*']
                };
                let operator = *self.random.pick(operators);
                Expression::Arithmetic(operator, leaf, Box::new(self.of_type(scope, kind, depth - 1)))
            }
            (_, Type::Double) => {
                let operator = *self.random.pick(&['+', '-']);
                Expression::Arithmetic(operator, leaf, Box::new(self.of_type(scope, kind, depth - 1)))
            }
            (_, Type::Text) => {
                let concat = Expression::Concat(leaf, Box::new(self.of_type(scope, kind, depth - 1)));
                if self.random.one_in(2) { concat } else { Expression::Upper(Box::new(concat)) }
            }
            (_, Type::Bool) => self.condition(scope),
            _ => *leaf,
        }
    }

    fn cast(&mut self, scope: &Scope, to: Type) -> Expression {
        let from = match self.domain {
            Domain::Everything => *self.random.pick(&[Type::Text, Type::Double, Type::Big, Type::Int]),
            Domain::Portable => *self.random.pick(&[Type::Text, Type::Big, Type::Int]),
        };
        let inner = Box::new(self.column_or_literal(scope, from));
        if !names_column(&inner) {
            return self.column_or_literal(scope, to);
        }
        if self.random.one_in(2) && self.domain == Domain::Everything {
            Expression::Cast(inner, to)
        } else {
            Expression::TryCast(inner, to)
        }
    }

    fn condition(&mut self, scope: &Scope) -> Expression {
        let kind = scope.columns[self.random.below(scope.columns.len())].1;
        let column = Box::new(self.column_or_literal(scope, kind));
        match self.random.below(6) {
            0 => Expression::IsNull(column),
            1 => {
                let (left, right) =
                    (Box::new(self.simple_condition(scope)), Box::new(self.simple_condition(scope)));
                if self.random.one_in(2) { Expression::And(left, right) } else { Expression::Or(left, right) }
            }
            2 => Expression::Not(Box::new(self.simple_condition(scope))),
            3 if self.fallible => {
                let left = Box::new(self.of_type(scope, Type::Big, 1));
                let literal = Expression::Literal(self.literal(Type::Big), Type::Big);
                if names_column(&left) {
                    Expression::Compare("<", left, Box::new(literal))
                } else {
                    self.simple_condition(scope)
                }
            }
            _ => self.simple_condition(scope),
        }
    }

    fn simple_condition(&mut self, scope: &Scope) -> Expression {
        let kind = scope.columns[self.random.below(scope.columns.len())].1;
        let operator = *self.random.pick(&["=", "<>", "<", ">="]);
        let left = Box::new(self.column_or_literal(scope, kind));
        let right = match kind {
            Type::Int | Type::Big | Type::Double | Type::Text => {
                Expression::Literal(self.literal(kind), kind)
            }
            _ => self.column_or_literal(scope, kind),
        };
        Expression::Compare(operator, left, Box::new(right))
    }
}

fn is_table(relation: &Relation) -> bool {
    relation.name.starts_with("table_")
}

fn names_column(expression: &Expression) -> bool {
    !matches!(expression, Expression::Literal(..))
}
