/// Tokens of one statement. Bounds the time and stack that parsing takes; a list of 20,000 literals fits.
pub(crate) const TOKENS_PER_STATEMENT_MAX: usize = 50_000;
/// Open parentheses at one place of the text, before parsing.
pub(crate) const PARENTHESES_MAX: usize = 64;
/// How deep the parser descends.
pub(crate) const PARSER_DEPTH_MAX: usize = 128;
/// How deep an expression nests; evaluation recurses as deep. Long chains of AND and OR are balanced first.
pub(crate) const EXPRESSION_DEPTH_MAX: usize = 256;
/// SELECTs inside expressions inside SELECTs. Planning them takes time exponential in this depth.
pub(crate) const SUBQUERY_DEPTH_MAX: usize = 6;
/// Nodes of one expression once all inner SELECTs and plain views are expanded into it.
pub(crate) const EXPRESSION_NODES_MAX: usize = 20_000;
/// Depth of a view's plan, plain views expanded.
pub(crate) const PLAN_DEPTH_MAX: usize = 128;
/// Nodes of a view's plan, plain views expanded.
pub(crate) const PLAN_NODES_MAX: usize = 2_000;
/// Branches of one UNION.
pub(crate) const UNION_BRANCHES_MAX: usize = 100;
/// Relations joined in one SELECT.
pub(crate) const JOINS_PER_SELECT_MAX: usize = 32;
/// Bytes of one text that `repeat`, `lpad`, `rpad`, `replace` and `regexp_replace` may make.
pub(crate) const TEXT_RESULT_BYTES_MAX: usize = 4 << 20;
/// Bytes of the texts that one call of these functions may make for a batch of rows.
pub(crate) const TEXT_BATCH_BYTES_MAX: usize = 64 << 20;
/// Stack of the thread that plans and runs SQL. Reserved address space; only what is used becomes memory.
pub(crate) const STACK_BYTES: usize = 256 << 20;
/// Rows that a query's operators work on at once.
pub(crate) const BATCH_ROWS: usize = 8_192;
