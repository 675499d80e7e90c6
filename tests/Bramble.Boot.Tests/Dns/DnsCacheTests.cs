using Bramble.Boot.Dns;
using Bramble.Testing;
using Bramble.Wire;
using Bramble.Wire.Dns;

namespace Bramble.Boot.Tests.Dns;

public sealed class DnsCacheTests
{
    private static readonly DnsName Name = DnsName.Parse("www.example.org");
    private static readonly DnsRecord Address = DnsRecord.A(Name, 300, IPv4Address.Parse("192.0.2.80"));

    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public void An_answer_is_given_again_with_less_time_to_live_until_that_is_over()
    {
        var cache = Cache();
        cache.Put(Key(Name), new DnsMessage { Answers = [Address] }, 100);
        _clock.Advance(TimeSpan.FromSeconds(120));
        Assert.Equal(180u, cache.Find(Key(Name))!.Answers[0].Ttl);
        _clock.Advance(TimeSpan.FromSeconds(180));
        Assert.Null(cache.Find(Key(Name)));
        Assert.Equal((0, 0), (cache.Count, cache.Octets));
    }

    [Fact]
    public void The_wish_for_signatures_and_the_type_make_it_another_question()
    {
        var cache = Cache();
        cache.Put(Key(Name), new DnsMessage { Answers = [Address] }, 100);
        Assert.NotNull(cache.Find(Key(DnsName.Parse("WWW.example.ORG"))));
        Assert.Null(cache.Find(Key(Name) with { DnssecOk = true }));
        Assert.Null(cache.Find(new DnsCacheKey(new DnsQuestion(Name, DnsType.AAAA), false, false)));
    }

    public static TheoryData<string, uint> Absences() => new()
    {
        { "soa 3600 60", 60 },
        { "soa 30 60", 30 },
        { "soa 86400 86400", 10800 },
        { "none", 0 },
    };

    [Theory]
    [MemberData(nameof(Absences))]
    public void An_absence_lasts_as_long_as_its_zone_says_and_three_hours_at_most(string authority, uint seconds)
    {
        var words = authority.Split(' ');
        DnsRecord[] authorities = words[0] == "none" ? [] :
        [
            DnsRecord.Soa(
                Name, uint.Parse(words[1], null), new DnsSoa(Name, Name, 1, 1, 1, 1, uint.Parse(words[2], null))),
        ];
        var question = new DnsQuestion(Name, DnsType.A);
        foreach (var code in new[] { DnsResponseCode.NameError, DnsResponseCode.NoError })
            Assert.Equal(seconds, DnsCache.TimeToLive(question, new DnsMessage
            {
                Code = code,
                Authorities = authorities,
            }));
        // An alias to nowhere is an absence as well.
        Assert.Equal(Math.Min(seconds, 300), DnsCache.TimeToLive(question, new DnsMessage
        {
            Answers = [DnsRecord.OfName(Name, DnsType.CNAME, 300, Name)],
            Authorities = authorities,
        }));
    }

    [Fact]
    public void A_failure_is_remembered_for_seconds_and_what_lasts_no_time_not_at_all()
    {
        var question = new DnsQuestion(Name, DnsType.A);
        Assert.Equal(5u, DnsCache.TimeToLive(question, new DnsMessage { Code = DnsResponseCode.ServerFailure }));
        Assert.Equal(0u, DnsCache.TimeToLive(question, new DnsMessage { Answers = [Address with { Ttl = 0 }] }));
        Assert.Equal(
            86400u, DnsCache.TimeToLive(question, new DnsMessage { Answers = [Address with { Ttl = 9999999 }] }));
    }

    [Fact]
    public void A_full_cache_forgets_what_was_not_used_for_longest()
    {
        var cache = new DnsCache(3, 10_000, _clock);
        for (var i = 0; i < 3; i++) cache.Put(Key(Name.Prepend($"h{i}")), new DnsMessage { Answers = [Address] }, 100);
        Assert.NotNull(cache.Find(Key(Name.Prepend("h0"))));
        cache.Put(Key(Name.Prepend("h3")), new DnsMessage { Answers = [Address] }, 100);
        Assert.Null(cache.Find(Key(Name.Prepend("h1"))));
        Assert.NotNull(cache.Find(Key(Name.Prepend("h0"))));
        Assert.Equal(3, cache.Count);
    }

    [Fact]
    public void A_million_names_take_no_more_than_their_bound()
    {
        var cache = Cache();
        for (var i = 0; i < 1_000_000; i++)
            cache.Put(Key(Name.Prepend($"h{i}")), new DnsMessage { Answers = [Address] }, 100);
        Assert.Equal((1000, 100_000), (cache.Count, cache.Octets));
        cache.Put(Key(Name), new DnsMessage { Answers = [Address] }, 60_000);
        Assert.Null(cache.Find(Key(Name)));
    }

    private static DnsCacheKey Key(DnsName name) => new(new DnsQuestion(name, DnsType.A), false, false);

    private DnsCache Cache() => new(1000, 200_000, _clock);
}
