use std::fmt::Write;
use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use headwater_engine::{Condition, WorkspaceStatus};

use crate::app::App;
use crate::counters::{Counters, LATENCY_BOUNDS_S, RouteCounts};
use crate::http::answer::{self, Answer};
use crate::http::params::Params;
use crate::routes::{RouteIndex, routes};

/// Counts and gauges in Prometheus' text format.
#[utoipa::path(
    get,
    path = "/metrics",
    tag = "server",
    responses((status = 200, description = "Prometheus text format", content_type = "text/plain", body = String))
)]
pub async fn metrics(State(app): State<Arc<App>>, uri: Uri) -> Answer {
    Params::of(&uri)?.finish()?;
    let mut text = String::with_capacity(16 << 10);
    write_door(&mut text, &app);
    write_answers(&mut text, &app.counters);
    write_refusals(&mut text, &app.counters);
    let statuses = app.engine.statuses().into_iter().chain([app.engine.system_status()]).collect::<Vec<_>>();
    write_workspaces(&mut text, &statuses);
    write_records(&mut text, &statuses);
    Ok(answer::bytes(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", text))
}

/// Starts a metric: its help and its type.
fn head(text: &mut String, name: &str, kind: &str, help: &str) {
    line(text, format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
}

fn line(text: &mut String, content: std::fmt::Arguments<'_>) {
    writeln!(text, "{content}").expect("writing to a string cannot fail");
}

fn write_door(text: &mut String, app: &App) {
    head(text, "headwater_connections_open", "gauge", "Open connections.");
    line(text, format_args!("headwater_connections_open {}", app.counters.connections_open()));
    head(text, "headwater_followers_open", "gauge", "Open change streams.");
    let followers = app.bounds.followers_max - app.followers.available_permits();
    line(text, format_args!("headwater_followers_open {followers}"));
    head(text, "headwater_body_bytes_held", "gauge", "Bytes that all request bodies together hold.");
    line(text, format_args!("headwater_body_bytes_held {}", app.bodies.bytes_held()));
}

/// Every route's labels and counts, and those of requests that no route took, where there are any.
fn counted(counters: &Counters) -> Vec<(String, RouteCounts)> {
    let known = routes().iter().enumerate().map(|(index, _)| Some(RouteIndex(index)));
    let all = known.chain([None]).map(|index| (route_labels(index), counters.counts(index)));
    all.filter(|(_, counts)| counts.total() > 0).collect()
}

fn route_labels(index: Option<RouteIndex>) -> String {
    match index.and_then(|index| routes().get(index.0)) {
        Some(route) => format!("method=\"{}\",path=\"{}\"", route.method, route.path),
        None => "method=\"\",path=\"\"".to_owned(),
    }
}

fn write_answers(text: &mut String, counters: &Counters) {
    let counted = counted(counters);
    head(text, "headwater_http_answers_total", "counter", "Answers by route and class of status.");
    for (labels, counts) in &counted {
        for (class, count) in (1..).zip(counts.by_status_class).filter(|(_, count)| *count > 0) {
            line(text, format_args!("headwater_http_answers_total{{{labels},status=\"{class}xx\"}} {count}"));
        }
    }
    let name = "headwater_http_answer_seconds";
    head(text, name, "histogram", "Time from a request's head to its answer's head.");
    for (labels, counts) in &counted {
        for (bound, count) in LATENCY_BOUNDS_S.iter().zip(counts.latency_cumulative) {
            line(text, format_args!("{name}_bucket{{{labels},le=\"{bound}\"}} {count}"));
        }
        line(text, format_args!("{name}_bucket{{{labels},le=\"+Inf\"}} {}", counts.total()));
        line(text, format_args!("{name}_sum{{{labels}}} {}", counts.latency_sum_s));
        line(text, format_args!("{name}_count{{{labels}}} {}", counts.total()));
    }
}

fn write_refusals(text: &mut String, counters: &Counters) {
    head(
        text,
        "headwater_requests_refused_total",
        "counter",
        "Requests refused as a whole, by route and code.",
    );
    for ((route, code), count) in counters.refusals() {
        let labels = route_labels(route);
        line(text, format_args!("headwater_requests_refused_total{{{labels},code=\"{code}\"}} {count}"));
    }
}

fn write_workspaces(text: &mut String, statuses: &[WorkspaceStatus]) {
    let mut gauge = |name: &str, help: &str, value: &dyn Fn(&WorkspaceStatus) -> u64| {
        head(text, name, "gauge", help);
        for status in statuses {
            line(
                text,
                format_args!("{name}{{workspace=\"{}\"}} {}", escaped(status.name.as_str()), value(status)),
            );
        }
    };
    gauge("headwater_workspace_lsn", "The newest published step.", &|s| s.lsn.0);
    gauge("headwater_workspace_takes_records", "1 unless paused, read-only or damaged.", &|s| {
        u64::from(s.condition != Condition::Paused && s.condition.failure().is_none())
    });
    gauge("headwater_workspace_failed", "1 if it takes no writes until somebody looks after it.", &|s| {
        u64::from(s.condition.failure().is_some())
    });
    gauge("headwater_workspace_open", "0 while it is parked, damaged or being opened.", &|s| {
        let is_open =
            matches!(s.condition, Condition::Running | Condition::Paused | Condition::ReadOnly { .. });
        u64::from(is_open)
    });
    gauge(
        "headwater_workspace_memory_bytes",
        "Bytes in memory, about; of a parked one those it had.",
        &|s| s.memory_bytes,
    );
    gauge("headwater_workspace_program_version", "How often its program has been changed.", &|s| {
        s.program_version.0
    });
    gauge("headwater_workspace_log_bytes", "Bytes of log that a restart would read, about.", &|s| {
        s.log_bytes
    });
    gauge("headwater_workspace_snapshot_lsn", "The LSN of the newest table snapshots.", &|s| {
        s.snapshot_lsn.0
    });
    gauge("headwater_workspace_queued_bytes", "Bytes that wait for the resume.", &|s| s.queued_bytes as u64);
    gauge("headwater_workspace_idempotency_keys", "Idempotency keys remembered.", &|s| {
        s.idempotency_keys as u64
    });
}

fn write_records(text: &mut String, statuses: &[WorkspaceStatus]) {
    let name = "headwater_records";
    head(text, name, "gauge", "Records by endpoint; received = applied + rejected + duplicate + pending.");
    for status in statuses {
        let workspace = escaped(status.name.as_str());
        for (endpoint, counts) in &status.counts {
            let labels = format!("workspace=\"{workspace}\",endpoint=\"{}\"", escaped(endpoint));
            let outcomes = [
                ("received", counts.received),
                ("applied", counts.applied),
                ("rejected", counts.rejected),
                ("duplicate", counts.duplicate),
                ("pending", counts.pending),
            ];
            for (outcome, count) in outcomes {
                line(text, format_args!("{name}{{{labels},outcome=\"{outcome}\"}} {count}"));
            }
        }
    }
}

/// A label's value as the format wants it.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
