#![allow(clippy::unwrap_used, missing_docs)]
use headwater_sql::{CompileOptions, compile};
#[test]
fn probe() {
    let base = "CREATE TABLE orders (id BIGINT PRIMARY KEY, customer VARCHAR NOT NULL, amount DOUBLE, price DECIMAL(10,2), n INT, at TIMESTAMP, day DATE);\nCREATE TABLE customers (name VARCHAR PRIMARY KEY, city VARCHAR);\nCREATE TABLE raw (x INT, s VARCHAR) WITH ('materialized'='false');\n";
    let views = std::fs::read_to_string("/tmp/hw/probe.sql").unwrap();
    for v in views.split(";;\n") {
        let v = v.trim();
        if v.is_empty() { continue; }
        let t = std::time::Instant::now();
        match compile(&format!("{base}{v}"), &CompileOptions { test_hooks: true }) {
            Ok(p) => {
                println!("OK {:?} {v}", t.elapsed());
                for d in p.tables.iter().skip(3) { println!("   {d:?}"); }
                for w in &p.views {
                    println!("  {} {:?} stateful={} reads={:?} sql={:?}\n{}", w.name, w.columns.iter().map(|c| format!("{} {}", c.name, c.column_type)).collect::<Vec<_>>(), w.stateful, w.reads, w.sql, w.plan.display_indent());
                }
            }
            Err(d) => println!("ERR {v}\n[{}] {d}", d.code),
        }
        println!("-----");
    }
}
