using System.Diagnostics;
using CryptoPlane.Lcores;
using CryptoPlane.TestKit;

namespace CryptoPlane.Tests.Lcores;

public sealed class MailboxTests
{
    [Fact]
    public void A_full_mailbox_refuses_and_loses_nothing()
    {
        using var waker = new LcoreWaker();
        using var mailbox = new Mailbox<int>(4, waker);
        Assert.Equal(4, mailbox.Post([1, 2, 3, 4, 5]));
        Assert.False(mailbox.TryPost(6));
        Span<int> received = stackalloc int[8];
        Assert.Equal(4, mailbox.Receive(received));
        Assert.Equal([1, 2, 3, 4], received[..4].ToArray());
        Assert.True(mailbox.IsEmpty);
    }

    [Fact]
    public void A_sleeper_is_not_woken_before_its_time_and_times_out()
    {
        using var waker = new LcoreWaker();
        waker.PrepareToSleep();
        Assert.False(waker.Sleep(1));
    }

    [Fact]
    public void Waking_an_awake_consumer_costs_no_event()
    {
        using var waker = new LcoreWaker();
        waker.Wake();
        waker.PrepareToSleep();
        Assert.False(waker.Sleep(1));
        waker.PrepareToSleep();
        waker.Wake();
        Assert.True(waker.Sleep(10_000));
    }

    /// <summary>
    /// The consumer sleeps without a timeout worth mentioning after every message, the producer posts the next one as soon as the last
    /// was taken, so that nearly every message races with falling asleep. One lost wake-up is a sleep of ten seconds.
    /// </summary>
    [Fact]
    public void No_wake_up_is_lost_when_posts_race_with_falling_asleep()
    {
        using var waker = new LcoreWaker();
        using var mailbox = new Mailbox<long>(64, waker);
        using var answers = new SpscRing<long>(64);
        bool stop = false;
        long lost = 0;
        var consumer = new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                while (mailbox.TryReceive(out long message))
                    answers.TryEnqueue(message);
                waker.PrepareToSleep();
                if (!mailbox.IsEmpty || Volatile.Read(ref stop))
                {
                    waker.Awake();
                    continue;
                }
                if (!waker.Sleep(10_000))
                    lost++;
            }
        })
        { IsBackground = true };
        consumer.Start();

        var random = new Random(7);
        long start = Stopwatch.GetTimestamp();
        long sent = 0;
        while (sent < 300_000 && Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(5))
        {
            Assert.True(mailbox.TryPost(sent));
            long answer = -1;
            Eventually.True(() => answers.TryDequeue(out answer), "an answer to a posted message");
            Assert.Equal(sent, answer);
            sent++;
            // A jitter of some tens of nanoseconds moves the post across the consumer's way into sleep.
            Thread.SpinWait(random.Next(40));
        }
        Volatile.Write(ref stop, true);
        waker.Signal();
        Assert.True(consumer.Join(TimeSpan.FromSeconds(30)));
        Assert.Equal(0, lost);
        Assert.True(sent > 1000, $"only {sent} messages in five seconds");
    }
}
