-- The load that wrk gives: requests built beforehand, sent over and over, or each so many times.
--
-- The plan (wrk.py writes it) says what to send. Every thread takes its share of the targets and builds its
-- requests before the clock starts; while the clock runs nothing is made, signed or formatted.
-- A thread's window is its own: threads start one after another, and their rates are added up.

local ffi = require("ffi")
ffi.cdef([[
  typedef struct { long seconds; long nanoseconds; } bench_time;
  int clock_gettime(int clock, bench_time *now);
]])
local MONOTONIC = 1
local NEVER_MS = 1e8
local stamp = ffi.new("bench_time")

local threads = {}
local requests = {}
local asked_beforehand = false
calls, answers, refused, first_s, last_s = 0, 0, 0, 0, 0

local function now_s()
  ffi.C.clock_gettime(MONOTONIC, stamp)
  return tonumber(stamp.seconds) + tonumber(stamp.nanoseconds) / 1e9
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("*a")
  file:close()
  return bytes
end

-- A request is a line and its pieces, with the key between each two pieces.
local function build(plan)
  local pieces, line = {}, 0
  for index, path in ipairs(plan.pieces) do pieces[index] = read(path) end
  for entry in io.lines(plan.targets) do
    if line % plan.threads == number then
      local key, target = entry:match("^(%S+) (.+)$")
      requests[#requests + 1] = plan.verb .. " " .. target .. table.concat(pieces, key)
    end
    line = line + 1
  end
end

-- Each request so many times: connections that find none left wait, and the last answer ends the thread.
local function send_each(times)
  local taken, all = 0, times * #requests
  function delay()
    if taken == all then return NEVER_MS end
    taken = taken + 1
    return 0
  end
  function response(status)
    answers = answers + 1
    if status > 299 then refused = refused + 1 end
    last_s = now_s()
    if answers == all then
      io.stderr:write("finished\n")
      wrk.thread:stop()
    end
  end
end

function setup(thread)
  thread:set("number", #threads)
  threads[#threads + 1] = thread
end

function init(arguments)
  local plan = dofile(arguments[1])
  build(plan)
  if plan.times > 0 then send_each(plan.times) end
end

function request()
  if number == 0 and not asked_beforehand then -- wrk looks at one request before it begins
    asked_beforehand = true
    return requests[1]
  end
  last_s = now_s()
  if calls == 0 then first_s = last_s end
  calls = calls + 1
  return requests[(calls - 1) % #requests + 1]
end

function done(summary, latency)
  local line = '{"thread":{"calls":%d,"answers":%d,"refused":%d,"window_s":%.6f}}\n'
  for _, thread in ipairs(threads) do
    local window_s = thread:get("last_s") - thread:get("first_s")
    io.write(line:format(thread:get("calls"), thread:get("answers"), thread:get("refused"), window_s))
  end
  local errors = summary.errors
  local total = '{"total":{"p50_us":%.0f,"p99_us":%.0f,"status":%d,"connect":%d,"read":%d,"write":%d,"timeout":%d}}\n'
  io.write(total:format(latency:percentile(50), latency:percentile(99), errors.status, errors.connect,
    errors.read, errors.write, errors.timeout))
end
