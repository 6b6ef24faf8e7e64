-- Posts, every one different. Argument: a word that no other run uses.
local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
dofile(here .. "report.lua")

local texts = {
  "The morning train was late again, and the light over the river was worth every minute of it. #trains",
  "Tried the new bread recipe: more water, less patience. The kitchen smells like a holiday. #bread #photography",
  "今日は東京で暖簾をくぐった。ラーメンの匂いがして、とても静かな夕方だった。 #東京 #散歩",
  "Does anybody remember where the good coffee near the library was? Asking for a neighbour. https://example.com/map/12",
}
local count, word = 0, ""

local function encode(text)
  return (text:gsub("[^%w%-_%.~]", function(c) return string.format("%%%02X", c:byte()) end))
end

function init(args)
  word = args[1]
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  for n, text in ipairs(texts) do texts[n] = encode(text) end
end

function request()
  count = count + 1
  local text = texts[count % #texts + 1]
  return wrk.format("POST", nil, nil, "status=" .. text .. "%20" .. word .. "-" .. count)
end
