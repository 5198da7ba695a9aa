-- wrk script: POSTs bodies of RECORDS generated records as NDJSON, cycling through prebuilt requests so that Lua costs
-- little. Prints one line "RESULT requests=.. us=.. p50_us=.. p99_us=.. errors=..".
-- Environment: RECORDS (default 1).
local RECORDS = tonumber(os.getenv("RECORDS") or "1")
local BODIES = 200
local USERS = 10000
local FIRST_SECOND = 1672617600 -- 2023-01-02T00:00:00Z

local threads = {}
function setup(thread)
  table.insert(threads, thread)
  thread:set("thread_number", #threads)
end

local function record(number)
  local time = os.date("!%Y-%m-%dT%H:%M:%SZ", FIRST_SECOND + number % 86400)
  return string.format(
    '{"user_id":"C%05d","timestamp":"%s","clicked":%d,"ad_id":"A%06d","price":%d.%02d,"session":"s-%08x%08x"}',
    math.random(0, USERS - 1), time, math.random(0, 1), math.random(0, 999999), math.random(0, 99),
    math.random(0, 99), math.random(0, 2 ^ 31 - 1), math.random(0, 2 ^ 31 - 1))
end

local requests, last = {}, 0
function init(arguments)
  math.randomseed((thread_number or 1) * 7919)
  for body = 1, BODIES do
    local records = {}
    for i = 1, RECORDS do records[i] = record(body * RECORDS + i) end
    local headers = { ["Content-Type"] = "application/x-ndjson" }
    requests[body] = wrk.format("POST", nil, headers, table.concat(records, "\n") .. "\n")
  end
end

function request()
  last = last % BODIES + 1
  return requests[last]
end

refused, first_refusal = 0, nil
function response(status, headers, body)
  if status < 200 or status > 299 then
    refused = refused + 1
    first_refusal = first_refusal or (status .. " " .. body:sub(1, 300))
  end
end

function done(summary, latency)
  local errors = summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout
  local example
  for _, thread in ipairs(threads) do
    errors = errors + (thread:get("refused") or 0)
    example = example or thread:get("first_refusal")
  end
  io.write(string.format("\nRESULT requests=%d us=%d p50_us=%d p99_us=%d errors=%d\n",
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99), errors))
  if example then io.write("first refusal: " .. example:gsub("\n", " ") .. "\n") end
end
