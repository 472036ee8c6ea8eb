-- Carries out one operation of the contract: ARGV[1] is the operation in JSON, KEYS are the keys that it names.

local operation = cjson.decode(ARGV[1])

-- A missing key is nil here, null in JSON, and false to Redis.
local function get(key)
    return redis.call('GET', key) or nil
end

local function set(key, value)
    if value == nil then
        redis.call('DEL', key)
    else
        redis.call('SET', key, value)
    end
end

local function append(key, value)
    redis.call('APPEND', key, value)
    return get(key)
end

local function json(value)
    if value == nil then
        return 'null'
    end
    return cjson.encode(value)
end

local function holds(key, expect)
    if expect == cjson.null then
        expect = nil
    end
    return get(key) == expect
end

local carry_out = {}

function carry_out.append()
    return '{"value":' .. json(append(operation.key, operation.value)) .. '}'
end

function carry_out.cas()
    if not holds(operation.key, operation.expect) then
        return '{"swapped":false,"value":' .. json(get(operation.key)) .. '}'
    end
    set(operation.key, operation.value)
    return '{"swapped":true}'
end

function carry_out.swap()
    local a, b = get(operation.a), get(operation.b)
    set(operation.a, b)
    set(operation.b, a)
    return '{}'
end

function carry_out.txn()
    for key, expect in pairs(operation.guards) do
        if not holds(key, expect) then
            return '{"committed":false}'
        end
    end
    local results = {}
    for place, step in ipairs(operation.ops) do
        local kind, key, value = step[1], step[2], step[3]
        if kind == 'w' then
            set(key, value)
        elseif kind == 'append' then
            value = append(key, value)
        else
            value = get(key)
        end
        results[place] = json(value)
    end
    return '{"committed":true,"results":[' .. table.concat(results, ',') .. ']}'
end

return carry_out[operation.type]()
