-- Asks for what a file lists, one after the other: a path in each line, behind a tab the Range if there is one.
local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
dofile(here .. "report.lua")

local requests, count = {}, 0

function init(args)
  for line in io.lines(args[1]) do
    local path, range = line:match("^([^\t]+)\t?(.*)$")
    local headers = {}
    for name, value in pairs(wrk.headers) do headers[name] = value end
    if range ~= "" then headers["Range"] = range end
    requests[#requests + 1] = wrk.format("GET", path, headers)
  end
end

function request()
  count = count + 1
  return requests[count % #requests + 1]
end
