//! Nodes in words, for people.

use std::fmt::{Display, Formatter, Result};

use crate::accumulator::{LinearAggregates, LinearFunction};
use crate::chain::{Chain, Stage};
use crate::dataflow::{Aggregate, AggregateOutput, Extreme, Node};
use crate::expression::Expression;

impl Display for Node {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Node::Source { relation } => write!(f, "changes of {relation}"),
            Node::Chain { chain, .. } => write!(f, "{chain}"),
            Node::Union { inputs, .. } => write!(f, "union of {} inputs", inputs.len()),
            Node::Index(index) => write!(f, "index by {} of: {}", columns(index.keys), index.chain),
            Node::Join(_) => write!(f, "join of two indexes"),
            Node::Aggregate(aggregate) => write!(f, "{}; input: {}", Functions(aggregate), aggregate.chain),
        }
    }
}

impl Display for Chain {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let mut separator = "";
        for stage in self.stages() {
            match stage {
                Stage::DropNulls { columns: 0 } => continue,
                Stage::DropNulls { columns: keys } => write!(f, "{separator}no NULL in {}", columns(*keys))?,
                Stage::Filter(expression) => write!(f, "{separator}where {expression}")?,
                Stage::Select { schema, .. } => {
                    let names: Vec<&str> =
                        schema.fields().iter().map(|field| field.name().as_str()).collect();
                    write!(f, "{separator}columns {}", names.join(", "))?;
                }
                Stage::Project { expressions, .. } => {
                    let texts: Vec<String> = expressions.iter().map(Expression::to_string).collect();
                    write!(f, "{separator}compute {}", texts.join(", "))?;
                }
            }
            separator = "; ";
        }
        Ok(())
    }
}

struct Functions<'a>(&'a Aggregate);

impl Display for Functions<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let Aggregate { keys, linear, extremes, outputs, .. } = self.0;
        let name = |output: &AggregateOutput| match output {
            AggregateOutput::Extreme(extreme) => match extremes[*extreme] {
                Extreme::Least => "MIN",
                Extreme::Greatest => "MAX",
            },
            AggregateOutput::Linear(result) => function(linear, *result),
        };
        let names: Vec<&str> = outputs.iter().map(name).collect();
        write!(
            f,
            "group by {}: {}",
            columns(*keys),
            if names.is_empty() { "distinct".into() } else { names.join(", ") }
        )
    }
}

fn function(linear: &LinearAggregates, result: usize) -> &'static str {
    match linear.results[result].function {
        LinearFunction::CountRows | LinearFunction::Count { .. } => "COUNT",
        LinearFunction::Sum { .. } => "SUM",
        LinearFunction::Average { .. } => "AVG",
    }
}

fn columns(count: usize) -> String {
    match count {
        0 => "nothing".to_owned(),
        1 => "the first column".to_owned(),
        _ => format!("the first {count} columns"),
    }
}
