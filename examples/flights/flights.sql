-- Flights out of New York, January 2013: what `headwater demo` keeps up to date while the month is replayed.
-- Times are UTC, delays are minutes (negative: early).

CREATE TABLE airlines (
    carrier VARCHAR PRIMARY KEY,
    name    VARCHAR NOT NULL
);

CREATE TABLE planes (
    tailnum      VARCHAR PRIMARY KEY,
    built        INT,
    manufacturer VARCHAR,
    model        VARCHAR,
    engines      INT,
    seats        INT
);

CREATE TABLE weather (
    observed    TIMESTAMP,
    origin      VARCHAR,
    temp_f      DOUBLE,
    wind_mph    DOUBLE,
    precip_in   DOUBLE,
    pressure_mb DOUBLE,
    visib_miles DOUBLE,
    PRIMARY KEY (observed, origin)
);

-- A row appears when the flight is scheduled, is patched when it departs and again when it arrives,
-- and is deleted when the flight is cancelled.
CREATE TABLE flights (
    scheduled      TIMESTAMP,
    carrier        VARCHAR,
    flight         INT,
    origin         VARCHAR,
    dest           VARCHAR NOT NULL,
    tailnum        VARCHAR,
    distance_miles INT NOT NULL,
    dep_delay      INT,
    arr_delay      INT,
    air_time       INT,
    PRIMARY KEY (scheduled, carrier, flight, origin)
);

-- The flights in the air or landed. A plain view keeps nothing, others build on it.
CREATE VIEW departures AS
SELECT carrier, flight, origin, dest, tailnum, distance_miles, dep_delay, arr_delay, air_time, scheduled,
       date_trunc('hour', scheduled) AS scheduled_hour
FROM flights
WHERE dep_delay IS NOT NULL;

CREATE MATERIALIZED VIEW airline_delays AS
SELECT a.name AS airline,
       COUNT(*) AS departures,
       SUM(CASE WHEN d.dep_delay <= 15 THEN 1 ELSE 0 END) AS on_time,
       AVG(d.dep_delay) AS avg_delay,
       MAX(d.dep_delay) AS worst_delay
FROM departures d
JOIN airlines a ON d.carrier = a.carrier
GROUP BY a.name;

-- A view over a view.
CREATE MATERIALIZED VIEW punctuality AS
SELECT airline, departures, CAST(on_time AS DOUBLE) * 100 / CAST(departures AS DOUBLE) AS on_time_percent
FROM airline_delays
WHERE departures >= 100;

CREATE MATERIALIZED VIEW delays_by_weather AS
SELECT CASE WHEN w.visib_miles < 2 THEN 'fog'
            WHEN w.precip_in > 0 THEN 'rain or snow'
            WHEN w.wind_mph >= 20 THEN 'strong wind'
            ELSE 'fair' END AS sky,
       COUNT(*) AS departures,
       AVG(d.dep_delay) AS avg_delay,
       AVG(w.wind_mph) AS avg_wind_mph,
       MIN(w.visib_miles) AS worst_visib_miles
FROM departures d
JOIN weather w ON d.origin = w.origin AND d.scheduled_hour = w.observed
GROUP BY CASE WHEN w.visib_miles < 2 THEN 'fog'
              WHEN w.precip_in > 0 THEN 'rain or snow'
              WHEN w.wind_mph >= 20 THEN 'strong wind'
              ELSE 'fair' END;

-- New York's clock is five hours behind UTC in January.
CREATE MATERIALIZED VIEW delays_by_hour AS
SELECT origin,
       CAST(date_part('hour', scheduled - INTERVAL '5 hours') AS INT) AS local_hour,
       COUNT(*) AS departures,
       AVG(dep_delay) AS avg_delay
FROM departures
GROUP BY origin, CAST(date_part('hour', scheduled - INTERVAL '5 hours') AS INT);

CREATE MATERIALIZED VIEW busiest_routes AS
SELECT origin, dest, COUNT(*) AS departures, AVG(arr_delay) AS avg_arr_delay,
       MIN(air_time) AS fastest_minutes, MAX(air_time) AS slowest_minutes
FROM departures
GROUP BY origin, dest
HAVING COUNT(*) >= 200;

CREATE MATERIALIZED VIEW planes_by_manufacturer AS
SELECT p.manufacturer, COUNT(*) AS departures, SUM(p.seats) AS seats_flown, SUM(d.distance_miles) AS miles_flown,
       MIN(p.built) AS oldest
FROM departures d
JOIN planes p ON d.tailnum = p.tailnum
GROUP BY p.manufacturer;

CREATE MATERIALIZED VIEW airport_traffic AS
SELECT origin AS airport, 'out' AS direction, COUNT(*) AS movements FROM departures GROUP BY origin
UNION ALL
SELECT dest AS airport, 'in' AS direction, COUNT(*) AS movements FROM departures
WHERE arr_delay IS NOT NULL GROUP BY dest;

-- No grouping: one row per flight that left more than five hours late.
CREATE MATERIALIZED VIEW very_late AS
SELECT a.name AS airline, d.flight, d.origin, d.dest, d.scheduled, d.dep_delay
FROM departures d
JOIN airlines a ON d.carrier = a.carrier
WHERE d.dep_delay > 300;
