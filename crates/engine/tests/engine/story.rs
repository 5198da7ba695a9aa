//! One event, sent once, passes the files of the story in their order.

use std::sync::{Arc, Mutex};

use headwater_engine::story::TRACE_TARGET;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::world::{World, block_on};

#[derive(Clone, Default)]
struct Steps(Arc<Mutex<Vec<String>>>);

struct StepName<'a>(&'a mut Vec<String>);

impl tracing::field::Visit for StepName<'_> {
    fn record_str(&mut self, field: &tracing::field::Field, value: &str) {
        if field.name() == "step" {
            self.0.push(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &tracing::field::Field, _: &dyn std::fmt::Debug) {}
}

impl<S: tracing::Subscriber> Layer<S> for Steps {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        let of_this_test = std::thread::current().name().is_some_and(|name| name.ends_with(" story-test"))
            || std::thread::current()
                .name()
                .is_some_and(|name| name.ends_with("one_event_passes_the_files_of_the_story_in_order"));
        if event.metadata().target() == TRACE_TARGET && of_this_test {
            event.record(&mut StepName(&mut self.0.lock().unwrap()));
        }
    }
}

#[test]
fn one_event_passes_the_files_of_the_story_in_order() {
    let steps = Steps::default();
    tracing::subscriber::set_global_default(tracing_subscriber::registry().with(steps.clone())).unwrap();
    let world = World::new();
    let workspace =
        world.engine.create_workspace(&headwater_types::Name::new("story-test").unwrap()).unwrap();
    let program =
        "CREATE TABLE t (a INT PRIMARY KEY); CREATE MATERIALIZED VIEW v AS SELECT SUM(a) AS s FROM t;";
    block_on(workspace.set_program(program.into(), Default::default())).unwrap();
    steps.0.lock().unwrap().clear();

    block_on(workspace.push(crate::world::request("t", r#"{"a":5}"#))).unwrap();
    let (_, row) = workspace.lookup("t", &["5"]).unwrap();
    assert!(row.is_some());

    let mut passed = steps.0.lock().unwrap().clone();
    // The sync and the apply of one step run side by side: either may be told first.
    passed[2..4].sort();
    assert_eq!(passed, ["admit", "order", "apply", "commit", "publish", "reply", "serve"]);
}
