use crate::compiled::{Build, group_by, q3, q4, q15};

/// One shape of the benchmark.
pub(crate) struct Query {
    pub(crate) name: &'static str,
    /// What it does, in a few words.
    pub(crate) does: &'static str,
    /// The SELECT. One that Headwater refuses is left out, with the refusal.
    pub(crate) sql: &'static str,
    /// The same as a compiled circuit, where there is one.
    pub(crate) compiled: Option<Build>,
}

/// All shapes, in the order of the table.
pub(crate) const QUERIES: [Query; 12] = [
    Query {
        name: "q0",
        does: "pass-through",
        sql: "SELECT auction, bidder, price, date_time, extra FROM bid",
        compiled: None,
    },
    Query {
        name: "q1",
        does: "projection",
        sql: "SELECT auction, bidder, 0.908 * price AS price, date_time, extra FROM bid",
        compiled: None,
    },
    Query {
        name: "q2",
        does: "filter",
        sql: "SELECT auction, price FROM bid WHERE auction % 123 = 0",
        compiled: None,
    },
    Query {
        name: "q3",
        does: "filters, join",
        sql: "SELECT p.name, p.city, p.state, a.id FROM auction AS a JOIN person AS p ON a.seller = p.id
              WHERE a.category = 10 AND p.state IN ('OR', 'ID', 'CA')",
        compiled: Some(q3),
    },
    Query {
        name: "q4",
        does: "join, MAX, AVG",
        sql: "SELECT category, AVG(final) AS average FROM
                (SELECT a.id, a.category, MAX(b.price) AS final FROM auction AS a JOIN bid AS b
                   ON a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires
                 GROUP BY a.id, a.category) AS q
              GROUP BY category",
        compiled: Some(q4),
    },
    Query {
        name: "group-by",
        does: "COUNT, SUM by key and 10 s",
        sql: "SELECT auction, window, COUNT(*) AS bids, SUM(price) AS total FROM
                (SELECT auction, price, CAST(date_time AS BIGINT) / 10000000 AS window FROM bid) AS b
              GROUP BY auction, window",
        compiled: Some(group_by),
    },
    Query {
        name: "q15-lite",
        does: "COUNT, 2 COUNT(DISTINCT) by day",
        sql: "SELECT d.day, d.bids, p.bidders, a.auctions FROM
                (SELECT CAST(date_time AS BIGINT) / 86400000000 AS day, COUNT(*) AS bids FROM bid GROUP BY 1) AS d
                JOIN (SELECT day, COUNT(*) AS bidders FROM
                  (SELECT CAST(date_time AS BIGINT) / 86400000000 AS day, bidder FROM bid GROUP BY 1, 2) AS x
                  GROUP BY day) AS p ON d.day = p.day
                JOIN (SELECT day, COUNT(*) AS auctions FROM
                  (SELECT CAST(date_time AS BIGINT) / 86400000000 AS day, auction FROM bid GROUP BY 1, 2) AS y
                  GROUP BY day) AS a ON d.day = a.day",
        compiled: Some(q15),
    },
    Query {
        name: "q15",
        does: "distinct counts with FILTER by day",
        sql: "SELECT CAST(date_time AS DATE) AS day, COUNT(*) AS total_bids,
                COUNT(*) FILTER (WHERE price < 10000) AS rank1_bids,
                COUNT(*) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bids,
                COUNT(*) FILTER (WHERE price >= 1000000) AS rank3_bids,
                COUNT(DISTINCT bidder) AS total_bidders,
                COUNT(DISTINCT bidder) FILTER (WHERE price < 10000) AS rank1_bidders,
                COUNT(DISTINCT bidder) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_bidders,
                COUNT(DISTINCT bidder) FILTER (WHERE price >= 1000000) AS rank3_bidders,
                COUNT(DISTINCT auction) AS total_auctions,
                COUNT(DISTINCT auction) FILTER (WHERE price < 10000) AS rank1_auctions,
                COUNT(DISTINCT auction) FILTER (WHERE price >= 10000 AND price < 1000000) AS rank2_auctions,
                COUNT(DISTINCT auction) FILTER (WHERE price >= 1000000) AS rank3_auctions
              FROM bid GROUP BY CAST(date_time AS DATE)",
        compiled: None,
    },
    Query {
        name: "q5",
        does: "hot items of sliding windows",
        sql: "SELECT c.auction, c.num FROM
                (SELECT auction, window_start, COUNT(*) AS num
                 FROM TABLE(HOP(TABLE bid, DESCRIPTOR(date_time), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
                 GROUP BY auction, window_start) AS c
                JOIN (SELECT window_start, MAX(num) AS num FROM
                  (SELECT auction, window_start, COUNT(*) AS num
                   FROM TABLE(HOP(TABLE bid, DESCRIPTOR(date_time), INTERVAL '2' SECOND, INTERVAL '10' SECOND))
                   GROUP BY auction, window_start) AS x GROUP BY window_start) AS m
                ON c.window_start = m.window_start AND c.num = m.num",
        compiled: None,
    },
    Query {
        name: "q7",
        does: "highest bid of tumbling windows",
        sql: "SELECT b.auction, b.price, b.bidder, b.date_time FROM bid AS b JOIN
                (SELECT window_start, window_end, MAX(price) AS price
                 FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(date_time), INTERVAL '10' SECOND))
                 GROUP BY window_start, window_end) AS w
              ON b.price = w.price AND b.date_time >= w.window_start AND b.date_time < w.window_end",
        compiled: None,
    },
    Query {
        name: "q8",
        does: "new persons with auctions by window",
        sql: "SELECT p.id, p.name, p.window_start FROM
                (SELECT id, name, window_start, window_end
                 FROM TABLE(TUMBLE(TABLE person, DESCRIPTOR(date_time), INTERVAL '10' SECOND))
                 GROUP BY id, name, window_start, window_end) AS p
                JOIN (SELECT seller, window_start, window_end
                      FROM TABLE(TUMBLE(TABLE auction, DESCRIPTOR(date_time), INTERVAL '10' SECOND))
                      GROUP BY seller, window_start, window_end) AS a
                ON p.id = a.seller AND p.window_start = a.window_start AND p.window_end = a.window_end",
        compiled: None,
    },
    Query {
        name: "q9",
        does: "winning bids",
        sql: "SELECT id, item_name, seller, auction, bidder, price, bid_date_time FROM
                (SELECT a.id, a.item_name, a.seller, b.auction, b.bidder, b.price, b.date_time AS bid_date_time,
                   ROW_NUMBER() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.date_time ASC) AS place
                 FROM auction AS a JOIN bid AS b
                   ON a.id = b.auction AND b.date_time BETWEEN a.date_time AND a.expires) AS q
              WHERE place <= 1",
        compiled: None,
    },
];
