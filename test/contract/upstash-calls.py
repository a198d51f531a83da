"""The calls of Upstash's clients for Python, sync and async, with text and bytes, and the rate limiter."""

import asyncio
import secrets

from upstash_ratelimit import FixedWindow, Ratelimit, SlidingWindow, TokenBucket
from upstash_redis import Redis
from upstash_redis.asyncio import Redis as AsyncRedis

own = secrets.token_hex(6)


def key(name):
    return f"{own}:{name}"


def equal(found, expected):
    assert found == expected, f"{found!r} is not {expected!r}"


def fails(action, words):
    try:
        action()
    except Exception as error:
        assert words in str(error), str(error)
    else:
        raise AssertionError(f"nothing said {words}")


def call_all(redis):
    equal(redis.ping(), "PONG")
    equal(redis.set(key("a"), "OK"), True)
    equal(redis.get(key("a")), "OK")
    equal(redis.get(key("none")), None)
    equal(redis.set(key("b"), "é😀\r\n\"", ex=100, nx=True), True)
    equal(redis.get(key("b")), "é😀\r\n\"")
    equal(redis.mget(key("a"), key("none")), ["OK", None])
    equal(redis.incr(key("n")), 1)
    equal(redis.incrbyfloat(key("n"), 0.5), 1.5)
    equal(redis.expire(key("n"), 100), True)
    equal(redis.hset(key("h"), values={"field": "value", "OK": "OK"}), 2)
    equal(redis.hgetall(key("h")), {"field": "value", "OK": "OK"})
    equal(redis.lpush(key("l"), "a", "b"), 2)
    equal(redis.lrange(key("l"), 0, -1), ["b", "a"])
    equal(redis.sadd(key("s"), "m"), 1)
    equal(list(redis.smembers(key("s"))), ["m"])
    equal(redis.zadd(key("z"), {"a": 1.5, "b": 2}), 2)
    equal(redis.zrange(key("z"), 0, -1, withscores=True), [("a", 1.5), ("b", 2.0)])
    equal(redis.zscore(key("z"), "a"), 1.5)
    equal(redis.pfadd(key("p"), "a"), True)
    equal(redis.setbit(key("bits"), 7, 1), 0)
    equal(redis.bitfield(key("bits")).get("u8", 0).execute(), [1])
    equal(redis.geoadd(key("g"), (13.361389, 38.115556, "Palermo")), 1)
    equal(redis.eval("return {KEYS[1], ARGV[1], 7}", keys=["k"], args=["x"]), ["k", "x", 7])
    sha = redis.script_load("return ARGV[1]")
    equal(redis.evalsha(sha, args=["x"]), "x")
    identity = redis.xadd(key("x"), "*", {"f": "v"})
    equal(redis.xlen(key("x")), 1)
    assert identity in str(redis.xrange(key("x"), "-", "+"))
    cursor, keys = redis.scan(0, match=key("*"), count=100000)
    assert cursor == 0 and key("a") in keys, (cursor, keys)
    equal(redis.publish(key("channel"), "x"), 0)
    fails(lambda: redis.lpush(key("a"), "x"), "WRONGTYPE")
    pipeline = redis.pipeline()
    pipeline.set(key("a"), "1")
    pipeline.incr(key("a"))
    equal(pipeline.exec(), [True, 2])
    multi = redis.multi()
    multi.incr(key("a"))
    multi.get(key("a"))
    equal(multi.exec(), [3, "3"])
    redis.delete(*redis.keys(key("*")))


async def call_async():
    async with AsyncRedis.from_env() as redis:
        equal(await redis.set(key("async"), "é"), True)
        texts = await asyncio.gather(*[redis.get(key("async")) for _ in range(20)])
        equal(texts, ["é"] * 20)


def limit(redis):
    for limiter in (
        FixedWindow(max_requests=3, window=3600),
        SlidingWindow(max_requests=3, window=3600),
        TokenBucket(max_tokens=3, refill_rate=3, interval=3600),
    ):
        ratelimit = Ratelimit(redis=redis, limiter=limiter, prefix=secrets.token_hex(6))
        verdicts = [ratelimit.limit("who").allowed for _ in range(5)]
        equal(verdicts, [True, True, True, False, False])


for encoding in ("base64", None):
    call_all(Redis.from_env(rest_encoding=encoding))
asyncio.run(call_async())
limit(Redis.from_env())
print("all is well")
