use std::time::Duration;

use super::{Load, program};
use crate::http::{Http, Reply};
use crate::random::Random;

/// Time between two things that the operator does.
const REST: Duration = Duration::from_millis(8);

/// Workspaces beside the one under load; they are deleted and made again under the same names.
const EXTRA_WORKSPACES: u64 = 6;

/// Changes the program, pauses, resumes, makes and deletes workspaces, until the test is over.
pub(crate) fn run(load: &Load, mut random: Random) {
    let operator = Operator { load, http: Http::new() };
    let mut made = 0;
    while !load.door.is_finishing() {
        let done = match random.between(0, 100) {
            0..40 => operator.change_program(random.percent(50)),
            40..60 => operator.pause_for(Duration::from_millis(random.between(1, 30) as u64)),
            60..75 => {
                made += 1;
                operator.make_workspace(made, random.percent(50))
            }
            _ => operator.compare_view(),
        };
        if done.is_none() {
            return;
        }
        std::thread::sleep(REST);
    }
}

struct Operator<'a> {
    load: &'a Load,
    http: Http,
}

impl Operator<'_> {
    /// Repeats a request until it is answered with one of these. `None` if the test ended before.
    fn ask(&self, method: &str, path: &str, body: &str, expected: &[u16]) -> Option<Reply> {
        loop {
            let to = self.load.door.wait()?;
            let path = format!("/v1/workspaces/{path}");
            if let Ok(reply) = self.http.send(to, method, &path, None, body) {
                assert!(expected.contains(&reply.status), "{method} {path}: {}", reply.body);
                return Some(reply);
            }
            std::thread::sleep(REST);
        }
    }

    fn change_program(&self, with_all: bool) -> Option<()> {
        // A crash may have left the workspace paused, with requests that wait for the resume.
        self.ask("POST", "w/resume", "", &[200])?;
        self.ask("PUT", "w/program", &program::text(with_all), &[200])?;
        self.load.done.program_changes.one_more();
        Some(())
    }

    fn pause_for(&self, time: Duration) -> Option<()> {
        self.ask("POST", "w/pause", "", &[200])?;
        std::thread::sleep(time);
        self.ask("POST", "w/resume", "", &[200])?;
        self.load.done.pauses.one_more();
        Some(())
    }

    fn make_workspace(&self, number: u64, then_delete: bool) -> Option<()> {
        let name = format!("extra-{}", number % EXTRA_WORKSPACES);
        self.ask("PUT", &name, "", &[200, 201])?;
        self.ask("PUT", &format!("{name}/program"), "CREATE TABLE t (a BIGINT);", &[200])?;
        self.ask("POST", &format!("{name}/tables/t"), r#"{"a":1}"#, &[200])?;
        if then_delete {
            // Deleted already if the answer was lost.
            self.ask("DELETE", &name, "", &[204, 404])?;
        }
        self.load.done.workspaces.one_more();
        Some(())
    }

    /// A view and what it is computed from, in one query: both are of one version.
    fn compare_view(&self) -> Option<()> {
        for view in program::views(false) {
            let (name, batch) = (view.name, view.batch);
            let sql = format!(
                "(SELECT * FROM {name} EXCEPT ({batch})) UNION ALL (({batch}) EXCEPT SELECT * FROM {name})"
            );
            let reply = self.ask("POST", "w/query", &sql, &[200])?;
            assert_eq!(reply.body, "", "view {name} under load, at LSN {:?}", reply.lsn);
        }
        self.load.done.comparisons.one_more();
        Some(())
    }
}
