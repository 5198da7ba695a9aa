//! Scalar expressions: their SQL, their type, and their value for one row.

use crate::value::{Row, Type, Value, canonical};

#[derive(Clone, Debug)]
pub enum Expression {
    Column(usize),
    Literal(Value, Type),
    Arithmetic(char, Box<Expression>, Box<Expression>),
    Negate(Box<Expression>),
    Absolute(Box<Expression>),
    Case(Box<Expression>, Box<Expression>, Box<Expression>),
    Coalesce(Box<Expression>, Box<Expression>),
    Cast(Box<Expression>, Type),
    TryCast(Box<Expression>, Type),
    Concat(Box<Expression>, Box<Expression>),
    Upper(Box<Expression>),
    Compare(&'static str, Box<Expression>, Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    IsNull(Box<Expression>),
}

/// The columns that an expression may name.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    pub columns: Vec<(String, Type)>,
}

/// The expression has no value for the row.
#[derive(Debug)]
pub struct Failed;

impl Expression {
    pub fn data_type(&self, scope: &Scope) -> Type {
        match self {
            Expression::Column(index) => scope.columns[*index].1,
            Expression::Literal(_, data_type) => *data_type,
            Expression::Arithmetic(_, left, right) => {
                let (left, right) = (left.data_type(scope), right.data_type(scope));
                match (left, right) {
                    (Type::Decimal { precision, scale }, _) => {
                        Type::Decimal { precision: precision + 1, scale }
                    }
                    (Type::Double, _) | (_, Type::Double) => Type::Double,
                    (Type::Int, Type::Int) => Type::Int,
                    _ => Type::Big,
                }
            }
            Expression::Negate(inner) | Expression::Absolute(inner) | Expression::Upper(inner) => {
                inner.data_type(scope)
            }
            Expression::Case(_, then, _) => then.data_type(scope),
            Expression::Coalesce(left, _) => left.data_type(scope),
            Expression::Cast(_, to) | Expression::TryCast(_, to) => *to,
            Expression::Concat(..) => Type::Text,
            _ => Type::Bool,
        }
    }

    pub fn sql(&self, scope: &Scope) -> String {
        let sql = |expression: &Expression| expression.sql(scope);
        match self {
            Expression::Column(index) => scope.columns[*index].0.clone(),
            Expression::Literal(value, data_type) => literal_sql(value, *data_type),
            Expression::Arithmetic(operator, left, right) => {
                format!("({} {operator} {})", sql(left), sql(right))
            }
            Expression::Negate(inner) => format!("(- {})", sql(inner)),
            Expression::Absolute(inner) => format!("ABS({})", sql(inner)),
            Expression::Upper(inner) => format!("UPPER({})", sql(inner)),
            Expression::Case(when, then, otherwise) => {
                format!("CASE WHEN {} THEN {} ELSE {} END", sql(when), sql(then), sql(otherwise))
            }
            Expression::Coalesce(left, right) => format!("COALESCE({}, {})", sql(left), sql(right)),
            Expression::Cast(inner, to) => format!("CAST({} AS {})", sql(inner), to.sql()),
            Expression::TryCast(inner, to) => format!("TRY_CAST({} AS {})", sql(inner), to.sql()),
            Expression::Concat(left, right) => format!("({} || {})", sql(left), sql(right)),
            Expression::Compare(operator, left, right) => {
                format!("({} {operator} {})", sql(left), sql(right))
            }
            Expression::And(left, right) => format!("({} AND {})", sql(left), sql(right)),
            Expression::Or(left, right) => format!("({} OR {})", sql(left), sql(right)),
            Expression::Not(inner) => format!("(NOT {})", sql(inner)),
            Expression::IsNull(inner) => format!("({} IS NULL)", sql(inner)),
        }
    }

    /// The value for one row; NULL where it fails.
    pub fn value_or_null(&self, row: &Row, scope: &Scope) -> Value {
        self.value(row, scope).unwrap_or(Value::Null)
    }

    /// Whether a condition holds.
    pub fn holds(&self, row: &Row, scope: &Scope) -> bool {
        matches!(self.value(row, scope), Ok(Value::Bool(true)))
    }

    fn value(&self, row: &Row, scope: &Scope) -> Result<Value, Failed> {
        let value = |expression: &Expression| expression.value(row, scope);
        Ok(match self {
            Expression::Column(index) => row[*index].clone(),
            Expression::Literal(literal, _) => literal.clone(),
            Expression::Arithmetic(operator, left, right) => {
                arithmetic(*operator, value(left)?, value(right)?, self.data_type(scope))?
            }
            Expression::Negate(inner) => match value(inner)? {
                Value::Float(float) => Value::Float(canonical(-float)),
                Value::Whole(whole) => in_range(-whole, inner.data_type(scope))?,
                other => other,
            },
            Expression::Absolute(inner) => match value(inner)? {
                Value::Float(float) => Value::Float(float.abs()),
                Value::Whole(whole) => in_range(whole.abs(), inner.data_type(scope))?,
                other => other,
            },
            Expression::Upper(inner) => match value(inner)? {
                Value::Text(text) => Value::Text(text.to_uppercase()),
                other => other,
            },
            Expression::Case(when, then, otherwise) => match value(when)? {
                Value::Bool(true) => value(then)?,
                _ => value(otherwise)?,
            },
            Expression::Coalesce(left, right) => match value(left)? {
                Value::Null => value(right)?,
                present => present,
            },
            Expression::Cast(inner, to) => cast(value(inner)?, *to)?,
            Expression::TryCast(inner, to) => cast(value(inner)?, *to).unwrap_or(Value::Null),
            Expression::Concat(left, right) => match (value(left)?, value(right)?) {
                (Value::Text(left), Value::Text(right)) => Value::Text(left + &right),
                _ => Value::Null,
            },
            Expression::Compare(operator, left, right) => compare(operator, value(left)?, value(right)?),
            Expression::And(left, right) => match value(left)? {
                Value::Bool(false) => Value::Bool(false),
                left => match (left, value(right)?) {
                    (_, Value::Bool(false)) => Value::Bool(false),
                    (Value::Bool(true), Value::Bool(true)) => Value::Bool(true),
                    _ => Value::Null,
                },
            },
            Expression::Or(left, right) => match value(left)? {
                Value::Bool(true) => Value::Bool(true),
                left => match (left, value(right)?) {
                    (_, Value::Bool(true)) => Value::Bool(true),
                    (Value::Bool(false), Value::Bool(false)) => Value::Bool(false),
                    _ => Value::Null,
                },
            },
            Expression::Not(inner) => match value(inner)? {
                Value::Bool(bool) => Value::Bool(!bool),
                other => other,
            },
            Expression::IsNull(inner) => Value::Bool(value(inner)?.is_null()),
        })
    }
}

fn literal_sql(value: &Value, data_type: Type) -> String {
    match value {
        Value::Null => format!("CAST(NULL AS {})", data_type.sql()),
        Value::Bool(bool) => bool.to_string().to_uppercase(),
        Value::Whole(whole) if data_type == Type::Big => whole.to_string(),
        Value::Whole(days) if data_type == Type::Date => format!("DATE '1970-01-{:02}'", days + 1),
        Value::Whole(whole) => {
            let scale = if let Type::Decimal { scale, .. } = data_type { scale } else { 0 };
            format!("CAST({} AS {})", whole / 10_i128.pow(scale.into()), data_type.sql())
        }
        Value::Float(float) => format!("CAST({float:?} AS DOUBLE)"),
        Value::Text(text) => format!("'{text}'"),
    }
}

fn in_range(whole: i128, data_type: Type) -> Result<Value, Failed> {
    let fits = match data_type {
        Type::Int | Type::Date => i32::try_from(whole).is_ok(),
        Type::Big => i64::try_from(whole).is_ok(),
        Type::Decimal { precision, .. } => whole.unsigned_abs() < 10_u128.pow(precision.into()),
        _ => true,
    };
    if fits { Ok(Value::Whole(whole)) } else { Err(Failed) }
}

fn arithmetic(operator: char, left: Value, right: Value, result: Type) -> Result<Value, Failed> {
    let float = |value: Value| match value {
        Value::Float(float) => float,
        Value::Whole(whole) => whole as f64,
        other => panic!("{other:?} is no number"),
    };
    Ok(match (left, right) {
        (Value::Null, _) | (_, Value::Null) => Value::Null,
        (Value::Whole(left), Value::Whole(right)) => match operator {
            '+' => in_range(left + right, result)?,
            '-' => in_range(left - right, result)?,
            '*' => in_range(left * right, result)?,
            _ if right == 0 => return Err(Failed),
            '/' => in_range(left / right, result)?,
            _ => in_range(left % right, result)?,
        },
        (left, right) => {
            let (left, right) = (float(left), float(right));
            Value::Float(canonical(match operator {
                '+' => left + right,
                '-' => left - right,
                '*' => left * right,
                '/' => left / right,
                _ => left % right,
            }))
        }
    })
}

fn cast(value: Value, to: Type) -> Result<Value, Failed> {
    Ok(match (value, to) {
        (Value::Null, _) => Value::Null,
        (Value::Whole(whole), Type::Int | Type::Big) => in_range(whole, to)?,
        (Value::Whole(whole), Type::Double) => Value::Float(whole as f64),
        (Value::Float(float), Type::Int | Type::Big) if float.is_finite() && float.abs() < 1e30 => {
            in_range(float.trunc() as i128, to)?
        }
        (Value::Float(_), Type::Int | Type::Big) => return Err(Failed),
        (Value::Text(text), Type::Int | Type::Big) => in_range(text.parse().map_err(|_| Failed)?, to)?,
        (value, to) => panic!("the generator does not cast {value:?} to {to:?}"),
    })
}

fn compare(operator: &str, left: Value, right: Value) -> Value {
    if left.is_null() || right.is_null() {
        return Value::Null;
    }
    let order = match (&left, &right) {
        (Value::Float(left), Value::Whole(right)) => left.total_cmp(&(*right as f64)),
        (Value::Whole(left), Value::Float(right)) => (*left as f64).total_cmp(right),
        _ => left.order(&right),
    };
    Value::Bool(match operator {
        "=" => order.is_eq(),
        "<>" => order.is_ne(),
        "<" => order.is_lt(),
        ">=" => order.is_ge(),
        other => panic!("unknown comparison {other}"),
    })
}
