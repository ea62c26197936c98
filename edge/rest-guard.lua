-- Runs before the transcoder, for every REST request. The transcoder ignores without an error what it
-- does not know or expect; the guard rejects it and names it. It accepts a request if
--
--   - the body is one JSON value (RFC 8259) in valid UTF-8, nested at most `max_depth` deep;
--   - each name in it is a field of the message, as `userId` or `user_id`, and occurs once;
--   - no two fields belong to one oneof, and no field is set by the path;
--   - objects and arrays are where the message has messages, maps and repeated fields;
--   - each query parameter is a field that the path and the body leave over, has a value, and occurs
--     once unless the field is repeated;
--   - there is no body where the method has none.
--
-- It neither changes a request nor checks scalar values; the transcoder and the services do.
-- `npm run generate` writes this file, after the table `contract` of all messages and routes, to
-- gen/envoy/rest-guard.lua.
--
-- LuaJIT compiles loops over string.byte, but not string.find with a pattern. So patterns are only
-- used where a request has already failed, or has an escape. `npm run bench:edge` measures the cost.

-- A request runs through this program once, so by default LuaJIT would rarely compile it.
if jit and jit.opt then jit.opt.start("hotloop=10", "hotexit=2") end

local byte, find, format, gsub, sub = string.byte, string.find, string.format, string.gsub, string.sub

-- The default limit of protobuf's own parsers, and the limit of the services for Connect.
local max_depth = 100
-- Of what an error repeats of a request.
local max_name_bytes = 64
local max_field_bytes = 200

-- Errors ------------------------------------------------------------------------------------------

-- Cuts at a character, and says so.
local function shorten(text, max)
  if #text <= max then return text end
  while max > 0 and byte(text, max + 1) >= 128 and byte(text, max + 1) < 192 do max = max - 1 end
  return sub(text, 1, max) .. "..."
end

-- What an error repeats of a path or a query, whose bytes need not be UTF-8. Names of fields are ASCII.
local function printable(text, max)
  return shorten((gsub(text, "[\128-\255]+", "?")), max)
end

local function quote(text)
  text = gsub(text, '["\\]', "\\%0")
  return '"' .. gsub(text, "%c", function(c) return format("\\u%04x", byte(c)) end) .. '"'
end

-- The fault of the current request, as a value that `error` throws.
local function fault(status, code, reason, message, violation)
  local details = '{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"' .. reason
    .. '","domain":"edge.settle","metadata":{}}'
  if violation then
    details = details .. ',{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":'
      .. quote(violation.field) .. ',"description":' .. quote(violation.description) .. ',"reason":""}]}'
  end
  return {
    status = status,
    body = '{"code":' .. code .. ',"message":' .. quote(message) .. ',"details":[' .. details .. "]}\n",
  }
end

local function malformed(message)
  error(fault("400", 3, "MALFORMED_REQUEST", message), 0)
end

local function violated(field, description)
  field = shorten(field, max_field_bytes)
  local violation = { field = field, description = description }
  error(fault("400", 3, "VALIDATION_FAILED", field .. ": " .. description, violation), 0)
end

-- The path of the value that is being checked: names of fields, `[0]` and `["key"]`.
local path = {}

local function path_to(depth)
  local text = ""
  for at = 1, depth do
    local step = shorten(path[at], max_name_bytes)
    text = text .. ((text == "" or byte(step) == 91) and "" or ".") .. step
  end
  return text
end

local function not_json(at)
  malformed("The body is not valid JSON (byte " .. at .. ").")
end

-- JSON --------------------------------------------------------------------------------------------
--
-- Each function gets the text and the position where its value starts, and returns the position after
-- it. Past the end of the text, the byte is 0.

local function skip_space(s, i)
  local c = byte(s, i)
  -- Mostly there is none. LuaJIT does not compile a function up to a loop in it.
  if c == nil or c > 32 then return i end
  while c == 32 or c == 10 or c == 13 or c == 9 do
    i = i + 1
    c = byte(s, i)
  end
  return i
end

local function is_continuation(c)
  return c ~= nil and c >= 128 and c < 192
end

-- A character above U+007F, by the table in RFC 3629.
local function skip_utf8(s, i, c)
  local second = byte(s, i + 1)
  if is_continuation(second) then
    if c >= 194 and c < 224 then return i + 2 end
    if is_continuation(byte(s, i + 2)) then
      if c >= 224 and c < 240 and (c ~= 224 or second >= 160) and (c ~= 237 or second < 160) then return i + 3 end
      if c >= 240 and c < 245 and (c ~= 240 or second >= 144) and (c ~= 244 or second < 144)
        and is_continuation(byte(s, i + 3)) then return i + 4 end
    end
  end
  malformed("The body is not valid UTF-8 (byte " .. i .. ").")
end

-- An escape. A surrogate must be half of a pair; JSON allows others, but they are not Unicode text.
local function skip_escape(s, i)
  if find(s, '^["\\/bfnrt]', i + 1) then return i + 2 end
  if find(s, "^u[dD][89abAB]%x%x\\u[dD][c-fC-F]%x%x", i + 1) then return i + 12 end
  if find(s, "^u[dD][89a-fA-F]%x%x", i + 1) then
    malformed("The body contains half of a surrogate pair (byte " .. i .. ").")
  end
  if find(s, "^u%x%x%x%x", i + 1) then return i + 6 end
  not_json(i)
end

-- The rest of a string, after its first quote; also returns whether it has an escape.
local function skip_string(s, i)
  local escaped = false
  while true do
    local c = byte(s, i) or 0
    if c == 34 then
      return i + 1, escaped
    elseif c == 92 then
      i = skip_escape(s, i)
      escaped = true
    elseif c >= 128 then
      i = skip_utf8(s, i, c)
    elseif c >= 32 then
      i = i + 1
    else
      not_json(i)
    end
  end
end

local function utf8_of(code)
  local char, floor = string.char, math.floor
  if code < 128 then return char(code) end
  local last = char(128 + code % 64)
  if code < 2048 then return char(192 + floor(code / 64)) .. last end
  local middle = char(128 + floor(code / 64) % 64)
  if code < 65536 then return char(224 + floor(code / 4096)) .. middle .. last end
  return char(240 + floor(code / 262144), 128 + floor(code / 4096) % 64) .. middle .. last
end

local escapes = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t" }

-- Decodes one escape after another: what an escape produces is not read again.
local function unescape(text)
  local parts = {}
  local i = 1
  while i <= #text do
    local next_escape = find(text, "\\", i, true)
    parts[#parts + 1] = sub(text, i, (next_escape or #text + 1) - 1)
    if not next_escape then break end
    local c = sub(text, next_escape + 1, next_escape + 1)
    if c ~= "u" then
      parts[#parts + 1] = escapes[c] or c
      i = next_escape + 2
    else
      local code = tonumber(sub(text, next_escape + 2, next_escape + 5), 16)
      i = next_escape + 6
      if code >= 55296 and code < 56320 then
        code = 65536 + (code - 55296) * 1024 + tonumber(sub(text, i + 2, i + 5), 16) - 56320
        i = i + 6
      end
      parts[#parts + 1] = utf8_of(code)
    end
  end
  return table.concat(parts)
end

local function skip_digits(s, i)
  local c = byte(s, i) or 0
  if c < 48 or c > 57 then not_json(i) end
  repeat
    i = i + 1
    c = byte(s, i) or 0
  until c < 48 or c > 57
  return i
end

local function skip_number(s, i)
  if byte(s, i) == 45 then i = i + 1 end
  if byte(s, i) == 48 then i = i + 1 else i = skip_digits(s, i) end
  if byte(s, i) == 46 then i = skip_digits(s, i + 1) end
  local c = byte(s, i)
  if c == 101 or c == 69 then
    c = byte(s, i + 1)
    i = skip_digits(s, (c == 43 or c == 45) and i + 2 or i + 1)
  end
  return i
end

local function skip_word(s, i, word)
  if sub(s, i, i + #word - 1) ~= word then not_json(i) end
  return i + #word
end

-- Messages ----------------------------------------------------------------------------------------

local messages = {}
-- Any JSON value. A spec is the kind of a value, and what is in it.
local any_value = { kind = "value" }
local check_value

-- An object. Its names are in `fields`; or all are allowed, and each value is checked by `each`.
local function check_object(s, i, fields, each, depth)
  i = skip_space(s, i + 1)
  if byte(s, i) == 125 then return i + 1 end
  if depth > max_depth then malformed("The body is nested too deeply.") end
  local seen, members = {}, nil
  while true do
    if byte(s, i) ~= 34 then not_json(i) end
    local from = i + 1
    local escaped
    i, escaped = skip_string(s, from)
    local name = sub(s, from, i - 2)
    if escaped then name = unescape(name) end
    i = skip_space(s, i)
    if byte(s, i) ~= 58 then not_json(i) end
    i = skip_space(s, i + 1)

    local field
    if fields then
      field = fields[name]
      path[depth] = field and field.name or name
      if not field then violated(path_to(depth), "no such field") end
      if field.kind == "taken" then violated(path_to(depth), "is set by the path and not allowed in the body") end
      if seen[field] then violated(path_to(depth), "set more than once") end
      seen[field] = true
    else
      path[depth] = '["' .. name .. '"]'
      if seen[name] then violated(path_to(depth), "set more than once") end
      seen[name] = true
    end

    -- In a message, null stands for an absent field.
    if field and byte(s, i) == 110 then
      i = skip_word(s, i, "null")
    else
      local oneof = field and field.oneof
      if oneof then
        members = members or {}
        if members[oneof] then violated(path_to(depth), "cannot be combined with " .. members[oneof]) end
        members[oneof] = field.name
      end
      i = check_value(s, i, field or each, depth)
    end

    i = skip_space(s, i)
    local c = byte(s, i)
    if c == 125 then return i + 1 end
    if c ~= 44 then not_json(i) end
    i = skip_space(s, i + 1)
  end
end

local function check_array(s, i, each, depth)
  i = skip_space(s, i + 1)
  if byte(s, i) == 93 then return i + 1 end
  depth = depth + 1
  if depth > max_depth then malformed("The body is nested too deeply.") end
  local index = 0
  while true do
    path[depth] = "[" .. index .. "]"
    i = skip_space(s, check_value(s, i, each, depth))
    local c = byte(s, i)
    if c == 93 then return i + 1 end
    if c ~= 44 then not_json(i) end
    i = skip_space(s, i + 1)
    index = index + 1
  end
end

local function check_scalar(s, i, c)
  if c == 34 then return (skip_string(s, i + 1)) end
  if c == 45 or (c >= 48 and c <= 57) then return skip_number(s, i) end
  if c == 116 then return skip_word(s, i, "true") end
  if c == 102 then return skip_word(s, i, "false") end
  not_json(i)
end

-- The fields of the message whose type the member `@type` of this object names; nil if it is not a
-- message of the contract, which the transcoder rejects.
local function fields_of_any(s, i, depth)
  local found
  local at = skip_space(s, i + 1)
  check_object(s, i, nil, any_value, depth)
  while byte(s, at) == 34 do
    local after, escaped = skip_string(s, at + 1)
    local name = sub(s, at + 1, after - 2)
    if escaped then name = unescape(name) end
    at = skip_space(s, skip_space(s, after) + 1)
    local from = at
    at = check_value(s, at, any_value, depth)
    if name == "@type" and byte(s, from) == 34 then
      found = unescape(sub(s, from + 1, at - 2))
      break
    end
    at = skip_space(s, at)
    if byte(s, at) ~= 44 then break end
    at = skip_space(s, at + 1)
  end
  local fields = found and messages[gsub(found, "^.*/", "")]
  if not fields then return nil end
  return setmetatable({ ["@type"] = { name = "@type", kind = "scalar" } }, { __index = fields })
end

local function expected(depth, what)
  local at = path_to(depth)
  malformed((at == "" and "The body" or at) .. " must be " .. what .. ".")
end

check_value = function(s, i, spec, depth)
  local kind = spec.kind
  local c = byte(s, i) or 0
  if kind == "scalar" then
    if c == 123 or c == 91 or c == 110 then expected(depth, "a single value") end
    return check_scalar(s, i, c)
  end
  if kind == "value" then
    if c == 123 then return check_object(s, i, nil, any_value, depth + 1) end
    if c == 91 then return check_array(s, i, any_value, depth) end
    if c == 110 then return skip_word(s, i, "null") end
    return check_scalar(s, i, c)
  end
  if kind == "list" then
    if c ~= 91 then expected(depth, "an array") end
    return check_array(s, i, spec.of, depth)
  end
  if c ~= 123 then expected(depth, "an object") end
  if kind == "message" then return check_object(s, i, spec.of, nil, depth + 1) end
  if kind == "map" then return check_object(s, i, nil, spec.of, depth + 1) end
  -- google.protobuf.Any
  return check_object(s, i, fields_of_any(s, i, depth + 1), any_value, depth + 1)
end

local function check_body(s, binding)
  local spec = binding.body
  if not spec then malformed("This method takes no body.") end
  if spec.kind == "raw" then return end
  local i = skip_space(s, check_value(s, skip_space(s, 1), spec, 0))
  if i <= #s then not_json(i) end
end

-- Routes ------------------------------------------------------------------------------------------

-- The routes as a tree of path segments: a literal, `any` one, or all the `rest`. A node has the
-- bindings that end at it, by verb and HTTP method.
local routes = { literals = {}, bindings = {} }
local verbs = {}
-- The routes without variables, by path and HTTP method.
local fixed = {}

-- As the transcoder: a literal comes before one segment, and one segment before the rest.
local function find_bindings(node, segments, count, at, verb)
  if at > count then
    local found = node.bindings[verb]
    if found then return found end
  else
    local literal = node.literals[segments[at]]
    local found = literal and find_bindings(literal, segments, count, at + 1, verb)
      or node.any and find_bindings(node.any, segments, count, at + 1, verb)
    if found then return found end
  end
  if not node.rest then return nil end
  for after = count + 1, at, -1 do
    local found = find_bindings(node.rest, segments, count, after, verb)
    if found then return found end
  end
end

local segments = {}

local function find_binding(method, target, last)
  if byte(target, last) == 47 then last = last - 1 end
  local count = 0
  local from = 2
  while from <= last + 1 do
    local slash = find(target, "/", from, true)
    if not slash or slash > last then slash = last + 1 end
    count = count + 1
    segments[count] = sub(target, from, slash - 1)
    from = slash + 1
  end
  local verb = ""
  if count > 0 and find(segments[count], ":", 1, true) then
    local before, after = string.match(segments[count], "^(.*):(.*)$")
    if verbs[after] and byte(target, last + 1) ~= 47 then
      segments[count] = before
      verb = after
    end
  end
  local found = find_bindings(routes, segments, count, 1, verb)
  return found and found[method]
end

local function decode(text)
  text = gsub(text, "+", " ")
  return (gsub(text, "%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

-- A query sets fields of the request, such as `filter.id`.
local function check_query(query, fields)
  local seen, members = {}, {}
  for parameter in string.gmatch(query, "[^&]+") do
    local equals = find(parameter, "=", 1, true)
    local name = decode(equals and sub(parameter, 1, equals - 1) or parameter)
    local shown = '"' .. printable(name, max_name_bytes) .. '"'
    local inside, field, full = fields, nil, ""
    for step in string.gmatch(name .. ".", "([^.]*)%.") do
      field = inside and inside[step]
      if not field then malformed("Could not find field " .. shown .. " among the query parameters of this method.") end
      if field.kind == "taken" then malformed("The field " .. shown .. " is not a query parameter of this method.") end
      local oneof = field.oneof and full .. "#" .. field.oneof
      full = (full == "" and "" or full .. ".") .. field.name
      if oneof then
        if members[oneof] and members[oneof] ~= field then
          violated(full, "cannot be combined with " .. members[oneof].name)
        end
        members[oneof] = field
      end
      inside = field.kind == "message" and field.of
    end
    if not equals then malformed("The query parameter " .. shown .. " has no value.") end
    if seen[full] and field.kind ~= "list" then violated(full, "set more than once") end
    seen[full] = true
  end
end

local function check_head(method, target)
  local binding = fixed[target] and fixed[target][method]
  if binding then return binding end
  local mark = find(target, "?", 1, true)
  local last = (mark or #target + 1) - 1
  binding = find_binding(method, target, last)
  if not binding then
    local shown = printable(sub(target, 1, last), max_field_bytes)
    error(fault("404", 5, "ROUTE_NOT_FOUND", "No method accepts " .. method .. " " .. shown .. "."), 0)
  end
  if mark and mark < #target then check_query(sub(target, mark + 1), binding.query) end
  return binding
end

-- The contract ------------------------------------------------------------------------------------

-- Turns the rows of the contract, `{ json name, proto name, kind, of, oneof }`, into fields by name.
local function spec_of(kind, of)
  if kind == "message" then of = messages[of]
  elseif of then of = spec_of(of[1], of[2]) end
  return { kind = kind, of = of }
end

-- The fields, without those at the paths in `taken`.
local function without(fields, taken)
  local copy = {}
  for name, field in pairs(fields) do copy[name] = field end
  for _, steps in ipairs(taken) do
    local field = copy[steps[1]]
    local left = { name = field.name, kind = "taken" }
    if #steps > 1 then
      left = {
        name = field.name, kind = field.kind, oneof = field.oneof,
        of = without(field.of, { { unpack(steps, 2) } }),
      }
    end
    for name, other in pairs(copy) do
      if other == field then copy[name] = left end
    end
  end
  return copy
end

for name in pairs(contract.messages) do messages[name] = {} end
for name, rows in pairs(contract.messages) do
  for _, row in ipairs(rows) do
    local field = spec_of(row[3], row[4])
    field.name = row[1]
    field.oneof = row[5]
    messages[name][row[1]] = field
    messages[name][row[2]] = field
  end
end
for _, route in ipairs(contract.routes) do
  local node = routes
  for _, segment in ipairs(route.path) do
    local next_node
    if segment == "*" then next_node = node.any
    elseif segment == "**" then next_node = node.rest
    else next_node = node.literals[segment] end
    next_node = next_node or { literals = {}, bindings = {} }
    if segment == "*" then node.any = next_node
    elseif segment == "**" then node.rest = next_node
    else node.literals[segment] = next_node end
    node = next_node
  end
  local binding = { query = {} }
  if route.body ~= "*" then
    local fields = without(messages[route.input] or {}, route.taken)
    if route.body then
      binding.body = fields[route.body]
      fields = without(fields, { { route.body } })
    end
    binding.query = fields
  else
    binding.body = spec_of(route.kind, route.kind == "message" and route.input or route.of)
    if route.kind == "message" then binding.body.of = without(binding.body.of, route.taken) end
  end
  if route.is_raw then binding.body = { kind = "raw" } end
  if route.is_stream then binding.body = { kind = "list", of = binding.body } end
  if route.verb ~= "" then verbs[route.verb] = true end
  if not find(table.concat(route.path), "*", 1, true) and route.verb == "" then
    local target = "/" .. table.concat(route.path, "/")
    fixed[target] = fixed[target] or {}
    fixed[target][route.method] = binding
  end
  local by_method = node.bindings[route.verb] or {}
  node.bindings[route.verb] = by_method
  by_method[route.method] = binding
end

-- Envoy -------------------------------------------------------------------------------------------

-- An error in this program must not let a request pass: Envoy would go on after a failed script.
local function reply(handle, thrown)
  if type(thrown) ~= "table" then
    handle:logErr("rest-guard: " .. tostring(thrown))
    thrown = fault("500", 13, "INTERNAL", "The edge could not process the request.")
  end
  handle:respond({ [":status"] = thrown.status }, thrown.body)
end

-- Throws the fault of a request.
local function check_request(handle)
  local headers = handle:headers()
  local binding = check_head(headers:get(":method"), headers:get(":path"))
  -- Before the body, for which this waits: Envoy ends the request's view of its headers then.
  local encoding = headers:get("content-encoding")
  local body = handle:body()
  local length = body and body:length() or 0
  if length == 0 then return end
  if encoding and encoding ~= "identity" then malformed("The body must not be compressed.") end
  check_body(body:getBytes(0, length), binding)
end

-- Envoy lets a request pass whose script fails, so nothing runs outside of pcall.
function envoy_on_request(handle)
  local ok, thrown = pcall(check_request, handle)
  if not ok then reply(handle, thrown) end
end
