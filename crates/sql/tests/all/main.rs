//! The behaviour of SQL, from text to answers. One binary, because linking the planner takes longer than the tests.
#![allow(clippy::unwrap_used)]

/// Integers of queries never wrap.
mod checked_arithmetic;
/// Computed columns keep their failures to themselves.
mod computed_columns;
/// Refusals as a user sees them.
mod diagnostics;
/// Programs, queries and rows that the tests share.
mod fixture;
/// Texts made to do harm.
mod hostile_text;
/// Plain views fail in queries as views do.
mod plain_views;
/// What programs compile to.
mod programs;
/// What queries answer.
mod query;
/// No query takes the server down.
mod query_limits;
/// Refusals of tables and of statements that are none of a program's.
mod refused_statements;
/// Times of day, bytes and UUIDs.
mod times_bytes_uuids;
/// Views over tables that keep no rows.
mod unkept_tables;
