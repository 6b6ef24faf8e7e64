-- Uploads pictures, every one different: a comment in the file is. Arguments: a word that no other run uses, and files.
local here = debug.getinfo(1, "S").source:match("^@(.*/)") or "./"
dofile(here .. "report.lua")

local BOUNDARY = "noren-bench-7MA4YWxkTrZu0gW"
local pictures, count, word = {}, 0, ""

-- The file in two parts: the comment goes between, behind the first segment (the JFIF header).
local function read(path)
  local file = assert(io.open(path, "rb"))
  local data = file:read("*a")
  file:close()
  local cut = 4 + data:byte(5) * 256 + data:byte(6)
  local head = "--" .. BOUNDARY .. "\r\nContent-Disposition: form-data; name=\"file\"; filename=\"window.jpg\"\r\n"
    .. "Content-Type: image/jpeg\r\n\r\n" .. data:sub(1, cut)
  return { head = head, tail = data:sub(cut + 1) .. "\r\n--" .. BOUNDARY .. "--\r\n" }
end

function init(args)
  word = args[1]
  for n = 2, #args do pictures[#pictures + 1] = read(args[n]) end
  wrk.headers["Content-Type"] = "multipart/form-data; boundary=" .. BOUNDARY
end

function request()
  count = count + 1
  local picture = pictures[count % #pictures + 1]
  local note = word .. "-" .. count
  local comment = string.char(0xFF, 0xFE, 0, 2 + #note) .. note
  return wrk.format("POST", nil, nil, picture.head .. comment .. picture.tail)
end
