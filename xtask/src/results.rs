use std::fmt;

/// How many tests ran, and how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Ended well.
    pub(crate) passed: u64,
    /// Ended badly.
    pub(crate) failed: u64,
    /// Not run.
    pub(crate) skipped: u64,
}

impl Counts {
    /// One check that ended as told.
    pub(crate) fn one(passed: bool) -> Counts {
        Counts { passed: u64::from(passed), failed: u64::from(!passed), skipped: 0 }
    }

    /// Adds the counts of another part.
    pub(crate) fn add(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed", self.passed, self.failed)?;
        if self.skipped > 0 {
            write!(f, ", {} skipped", self.skipped)?;
        }
        Ok(())
    }
}

/// Gathers the counts of each test binary from the lines that `cargo test` prints.
#[derive(Debug, Default)]
pub(crate) struct CargoTestReader {
    current: Option<String>,
    /// Each test binary that ran to its end, with its counts.
    pub(crate) binaries: Vec<(String, Counts)>,
    /// Test binaries that were started and never said how they ended.
    pub(crate) unfinished: Vec<String>,
}

impl CargoTestReader {
    /// Takes one line.
    pub(crate) fn line(&mut self, line: &str) {
        let text = line.trim();
        if let Some(binary) = started(text) {
            self.unfinished.extend(self.current.replace(binary));
        } else if let Some(counts) = ended(text) {
            let binary = self.current.take().unwrap_or_else(|| "(unnamed)".to_string());
            self.binaries.push((binary, counts));
        }
    }

    /// The sum; a binary that died counts as one failure. Call at the end.
    pub(crate) fn finish(&mut self) -> Counts {
        self.unfinished.extend(self.current.take());
        let mut total = Counts { failed: self.unfinished.len() as u64, ..Counts::default() };
        self.binaries.iter().for_each(|(_, counts)| total.add(*counts));
        total
    }
}

/// `Running tests/a.rs (…/deps/a-0123)`, `Running unittests src/lib.rs (…/deps/b-0123)`, `Doc-tests c`.
fn started(text: &str) -> Option<String> {
    if let Some(name) = text.strip_prefix("Doc-tests ") {
        return Some(format!("{name} (examples in comments)"));
    }
    let (what, path) = text.strip_prefix("Running ")?.strip_suffix(')')?.split_once(" (")?;
    let file = path.rsplit(['/', '\\']).next()?;
    let name = file.rsplit_once('-').map_or(file, |(name, _)| name);
    Some(if what.starts_with("unittests") { name.to_string() } else { format!("{name} ({what})") })
}

/// `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s`.
fn ended(text: &str) -> Option<Counts> {
    let (_, numbers) = text.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |word: &str| {
        let part = numbers.split(';').find(|p| p.trim().ends_with(word))?;
        part.split_whitespace().next()?.parse().ok()
    };
    Some(Counts { passed: number("passed")?, failed: number("failed")?, skipped: number("ignored")? })
}

#[cfg(test)]
mod tests;
