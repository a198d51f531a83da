// go-redis, unmodified, at the address in REDIS_URL: each step says on one line what came of it, so that two
// addresses can be compared. REDIS_CA_FILE is the authority of a rediss:// address.
package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const patience = 10 * time.Second

var steps = []struct {
	name string
	run  func(context.Context, *redis.Client) (any, error)
}{
	{"name of the connection", func(ctx context.Context, client *redis.Client) (any, error) {
		return client.ClientGetName(ctx).Result()
	}},
	{"who it is", func(ctx context.Context, client *redis.Client) (any, error) {
		id, err := client.Do(ctx, "ACL", "WHOAMI").Text()
		return strings.HasPrefix(id, "key_"), err
	}},
	{"string", text},
	{"binary value", binary},
	{"value of 8 MB", big},
	{"no such key", func(ctx context.Context, client *redis.Client) (any, error) {
		return client.Get(ctx, "none").Result()
	}},
	{"hash", hash},
	{"sorted set", sortedSet},
	{"stream", stream},
	{"scan", scan},
	{"wrong type", func(ctx context.Context, client *redis.Client) (any, error) {
		return client.LPush(ctx, "hash", "x").Result()
	}},
	{"not allowed", func(ctx context.Context, client *redis.Client) (any, error) {
		return client.ConfigGet(ctx, "*").Result()
	}},
	{"no such command", func(ctx context.Context, client *redis.Client) (any, error) {
		return client.Do(ctx, "NOSUCH", "a").Result()
	}},
	{"pipeline", pipeline},
	{"transaction", transaction},
	{"watched key changes", watch},
	{"script", script},
	{"blocking command", blocking},
	{"blocking command given up", givenUp},
	{"pub/sub", publish},
	{"many at once", manyAtOnce},
	{"other database", otherDatabase},
	{"wrong password", wrongPassword},
}

func main() {
	for _, protocol := range []int{2, 3} {
		options, err := redis.ParseURL(os.Getenv("REDIS_URL"))
		if err != nil {
			panic(err)
		}
		if file := os.Getenv("REDIS_CA_FILE"); file != "" {
			authority, err := os.ReadFile(file)
			if err != nil {
				panic(err)
			}
			options.TLSConfig.RootCAs = x509.NewCertPool()
			options.TLSConfig.RootCAs.AppendCertsFromPEM(authority)
		}
		options.Protocol = protocol
		options.ClientName = "from-go"
		runSteps(redis.NewClient(options), protocol)
	}
}

func runSteps(client *redis.Client, protocol int) {
	defer client.Close()
	client.FlushDB(context.Background())
	for _, step := range steps {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		result, err := step.run(ctx, client)
		cancel()
		if err != nil {
			result = fmt.Sprintf("error %v", err)
		}
		fmt.Printf("RESP%d, %s: %v\n", protocol, step.name, result)
	}
}

func text(ctx context.Context, client *redis.Client) (any, error) {
	if err := client.Set(ctx, "string", "один", time.Hour).Err(); err != nil {
		return nil, err
	}
	ttl, err := client.TTL(ctx, "string").Result()
	if err != nil || ttl <= 0 {
		return ttl, err
	}
	return client.Get(ctx, "string").Result()
}

func binary(ctx context.Context, client *redis.Client) (any, error) {
	value := make([]byte, 256)
	for index := range value {
		value[index] = byte(index)
	}
	if err := client.Set(ctx, "binary", value, 0).Err(); err != nil {
		return nil, err
	}
	got, err := client.Get(ctx, "binary").Bytes()
	return string(got) == string(value), err
}

func big(ctx context.Context, client *redis.Client) (any, error) {
	value := strings.Repeat("0123456789abcdef", 1<<19)
	if err := client.Set(ctx, "big", value, 0).Err(); err != nil {
		return nil, err
	}
	got, err := client.Get(ctx, "big").Result()
	return got == value, err
}

func hash(ctx context.Context, client *redis.Client) (any, error) {
	if err := client.HSet(ctx, "hash", "a", 1, "b", "two").Err(); err != nil {
		return nil, err
	}
	return client.HGetAll(ctx, "hash").Result()
}

func sortedSet(ctx context.Context, client *redis.Client) (any, error) {
	client.ZAdd(ctx, "scores", redis.Z{Score: 1.5, Member: "a"}, redis.Z{Score: -2, Member: "b"})
	return client.ZRangeWithScores(ctx, "scores", 0, -1).Result()
}

func stream(ctx context.Context, client *redis.Client) (any, error) {
	client.XAdd(ctx, &redis.XAddArgs{Stream: "stream", ID: "1-1", Values: []string{"f", "v"}})
	client.XGroupCreate(ctx, "stream", "group", "0")
	arguments := redis.XReadGroupArgs{Group: "group", Consumer: "me", Streams: []string{"stream", ">"}}
	return client.XReadGroup(ctx, &arguments).Result()
}

func scan(ctx context.Context, client *redis.Client) (any, error) {
	for number := range 250 {
		if err := client.Set(ctx, fmt.Sprint("scan:", number), number, 0).Err(); err != nil {
			return nil, err
		}
	}
	found := map[string]bool{}
	keys := client.Scan(ctx, 0, "scan:*", 20).Iterator()
	for keys.Next(ctx) {
		found[keys.Val()] = true
	}
	return len(found), keys.Err()
}

func pipeline(ctx context.Context, client *redis.Client) (any, error) {
	replies, err := client.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for range 5_000 {
			pipe.Incr(ctx, "counter")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for index, reply := range replies {
		if got := reply.(*redis.IntCmd).Val(); got != int64(index+1) {
			return fmt.Sprintf("reply %d is %d", index, got), nil
		}
	}
	return len(replies), nil
}

func transaction(ctx context.Context, client *redis.Client) (any, error) {
	replies, err := client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Set(ctx, "transaction", "1", 0)
		pipe.LPush(ctx, "transaction", "wrong type")
		pipe.Incr(ctx, "transaction")
		return nil
	})
	return fmt.Sprint(replies), ignore(err, "WRONGTYPE")
}

func ignore(err error, prefix string) error {
	if err != nil && strings.HasPrefix(err.Error(), prefix) {
		return nil
	}
	return err
}

func watch(ctx context.Context, client *redis.Client) (any, error) {
	err := client.Watch(ctx, func(tx *redis.Tx) error {
		if err := client.Set(ctx, "watched", "by another", 0).Err(); err != nil {
			return err
		}
		_, err := tx.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
			pipe.Set(ctx, "watched", "mine", 0)
			return nil
		})
		return err
	}, "watched")
	return errors.Is(err, redis.TxFailedErr), nil
}

func script(ctx context.Context, client *redis.Client) (any, error) {
	// The first run finds no script of that hash, and brings it.
	sum := redis.NewScript("return {KEYS[1], ARGV[1] + 1, {ok = 'fine'}}")
	if _, err := sum.Run(ctx, client, []string{"key"}, 41).Result(); err != nil {
		return nil, err
	}
	return sum.EvalSha(ctx, client, []string{"key"}, 41).Result()
}

func blocking(ctx context.Context, client *redis.Client) (any, error) {
	time.AfterFunc(100*time.Millisecond, func() { client.RPush(ctx, "queue", "at last") })
	return client.BLPop(ctx, 5*time.Second, "queue").Result()
}

func givenUp(ctx context.Context, client *redis.Client) (any, error) {
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if err := client.BLPop(short, time.Second, "never").Err(); err == nil {
		return "something came", nil
	}
	return client.Ping(ctx).Result()
}

func publish(ctx context.Context, client *redis.Client) (any, error) {
	subscription := client.Subscribe(ctx, "channel")
	defer subscription.Close()
	if _, err := subscription.Receive(ctx); err != nil {
		return nil, err
	}
	if err := subscription.PSubscribe(ctx, "chan*"); err != nil {
		return nil, err
	}
	if _, err := subscription.Receive(ctx); err != nil {
		return nil, err
	}
	if err := subscription.Ping(ctx, "still there"); err != nil {
		return nil, err
	}
	if _, err := subscription.Receive(ctx); err != nil {
		return nil, err
	}
	if err := client.Publish(ctx, "channel", "news").Err(); err != nil {
		return nil, err
	}
	first, err := subscription.ReceiveMessage(ctx)
	if err != nil {
		return nil, err
	}
	second, err := subscription.ReceiveMessage(ctx)
	return fmt.Sprint(first, second), err
}

func manyAtOnce(ctx context.Context, client *redis.Client) (any, error) {
	var group sync.WaitGroup
	wrong := make(chan string, 50)
	for number := range 50 {
		group.Go(func() {
			for round := range 40 {
				value := fmt.Sprint(number, "/", round)
				got, err := client.Do(ctx, "ECHO", value).Text()
				if err != nil || got != value {
					wrong <- fmt.Sprint(got, err)
					return
				}
			}
		})
	}
	group.Wait()
	close(wrong)
	return fmt.Sprintf("%d got another's reply or none", len(wrong)), nil
}

func otherDatabase(ctx context.Context, client *redis.Client) (any, error) {
	options := *client.Options()
	options.DB = 1
	other := redis.NewClient(&options)
	defer other.Close()
	return other.DBSize(ctx).Result()
}

func wrongPassword(ctx context.Context, client *redis.Client) (any, error) {
	options := *client.Options()
	options.Password = "sc_live_00000000000000000000000000000000"
	stranger := redis.NewClient(&options)
	defer stranger.Close()
	return stranger.Ping(ctx).Result()
}
