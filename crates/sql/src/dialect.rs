use std::any::{Any, TypeId};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use datafusion::sql::sqlparser::ast::Expr;
use datafusion::sql::sqlparser::dialect::{Dialect, GenericDialect};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};

/// Expressions that may be begun per token of a statement. Reading each once takes about one.
const STARTS_PER_TOKEN_MAX: usize = 32;
/// Expressions that may be begun in a statement of any size.
const STARTS_FREE: usize = 1_000;

/// The grammar of Headwater: the parser's generic one without the specialities of single products.
///
/// It also ends the parser's search. Where a keyword such as NOT or CAST begins something that cannot be read, the
/// parser tries the same words again as a call of a function; nested, that doubles with each level.
#[derive(Debug)]
pub(crate) struct HeadwaterDialect {
    starts_left: AtomicUsize,
    exhausted: AtomicBool,
}

impl HeadwaterDialect {
    /// A dialect that reads one statement of this many tokens.
    pub(crate) fn for_tokens(tokens: usize) -> HeadwaterDialect {
        let starts_left = AtomicUsize::new(STARTS_FREE + STARTS_PER_TOKEN_MAX * tokens);
        HeadwaterDialect { starts_left, exhausted: AtomicBool::new(false) }
    }

    /// Whether the parser was stopped in its search.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.exhausted.load(Ordering::Relaxed)
    }
}

/// Parts of the grammar that are switched on.
macro_rules! supported {
    ($($part:ident),* $(,)?) => {
        $(fn $part(&self) -> bool {
            true
        })*
    };
}

impl Dialect for HeadwaterDialect {
    /// Where the parser asks which product it reads for, the generic answer holds.
    fn dialect(&self) -> TypeId {
        GenericDialect {}.type_id()
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch == '_'
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        ch.is_alphabetic() || ch.is_ascii_digit() || ch == '_' || ch == '$'
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        ch == '"'
    }

    fn parse_prefix(&self, _parser: &mut Parser) -> Option<Result<Expr, ParserError>> {
        let less = |left: usize| left.checked_sub(1);
        if self.starts_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less).is_ok() {
            return None;
        }
        self.exhausted.store(true, Ordering::Relaxed);
        Some(Err(ParserError::RecursionLimitExceeded))
    }

    supported! {
        allow_extract_custom,
        allow_extract_single_quotes,
        support_map_literal_syntax,
        supports_array_typedef_with_brackets,
        supports_bitwise_shift_operators,
        supports_comma_separated_trim,
        supports_dictionary_syntax,
        supports_filter_during_aggregation,
        supports_group_by_expr,
        supports_group_by_with_modifier,
        supports_interval_options,
        supports_left_associative_joins_without_parens,
        supports_nested_comments,
        supports_parens_around_table_factor,
        supports_select_wildcard_except,
        supports_select_wildcard_exclude,
        supports_select_wildcard_replace,
        supports_string_escape_constant,
        supports_unicode_string_literal,
        supports_values_as_table_factor,
        supports_window_clause_named_window_reference,
        supports_window_function_null_treatment_arg,
    }
}
