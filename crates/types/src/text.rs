//! The texts of values that records, answers and SQL write alike: times of day, UUIDs and bytes.

/// Bytes as hexadecimal digits.
pub mod hex;
/// Times of day.
pub mod time_of_day;
/// UUIDs.
pub mod uuid;
