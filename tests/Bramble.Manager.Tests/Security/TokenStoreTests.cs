using Bramble.Contracts.Security;
using Bramble.Manager.Events;
using Bramble.Manager.Security;
using Dapper;

namespace Bramble.Manager.Tests.Security;

public sealed class TokenStoreTests : IAsyncDisposable
{
    private readonly Rig _rig = new();
    private TokenStore _tokens;

    public TokenStoreTests() => _tokens = Open();

    public ValueTask DisposeAsync() => _rig.DisposeAsync();

    private TokenStore Open() => new(_rig.Database, _rig.Events, _rig.Clock);

    private Task<TokenCreated> CreateAsync(Role role = Role.Admin, DateTimeOffset? expires = null) =>
        _tokens.CreateAsync("laptop", role, expires, "me");

    private async Task RestartAsync()
    {
        await _rig.RestartAsync();
        _tokens = Open();
    }

    [Fact]
    public async Task A_token_opens_before_and_after_a_restart_and_its_secret_is_kept_nowhere()
    {
        Assert.False(_tokens.HasAdmin);
        var created = await CreateAsync(Role.Operator, Sample.Start.AddDays(1));
        Assert.Equal(created.Token, _tokens.Authenticate(created.Secret)! with { LastUsedAt = null });
        await RestartAsync();
        Assert.Equal(("laptop", Role.Operator, Sample.Start.AddDays(1)), (_tokens.Authenticate(created.Secret)!.Name,
            _tokens.All[0].Role, _tokens.All[0].ExpiresAt));
        var secret = created.Secret.Split('_', 3)[2];
        Assert.DoesNotContain(
            secret, string.Concat(_rig.Database.Read(c => c.Query<string>("SELECT hash FROM tokens"))),
            StringComparison.Ordinal);
        Assert.DoesNotContain(secret, string.Concat((await _rig.Events.TailAsync(10, null)).Select(e => e.Message)),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Anything_but_the_very_token_opens_nothing()
    {
        var secret = (await CreateAsync()).Secret;
        var other = (await CreateAsync()).Secret;
        foreach (var bad in new[] { "", "brm", "brm__", secret[..^1], secret + "x", secret.ToUpperInvariant(), "x"
            + secret,
            $"brm_{other.Split('_')[1]}_{secret.Split('_', 3)[2]}" })
            Assert.Null(_tokens.Authenticate(bad));
        Assert.NotNull(_tokens.Authenticate(secret));
    }

    [Fact]
    public async Task A_revoked_token_stays_revoked()
    {
        var created = await CreateAsync();
        Assert.True(await _tokens.RevokeAsync(created.Token.Id, "me"));
        Assert.False(await _tokens.RevokeAsync(created.Token.Id, "me"));
        Assert.Null(_tokens.Authenticate(created.Secret));
        await RestartAsync();
        Assert.Null(_tokens.Authenticate(created.Secret));
    }

    [Fact]
    public async Task A_revocation_that_is_not_durable_does_not_look_as_if_it_were()
    {
        var created = await CreateAsync();
        await _rig.Database.PutAsync(c => c.Execute("ALTER TABLE tokens RENAME TO elsewhere"));
        await Assert.ThrowsAnyAsync<Exception>(() => _tokens.RevokeAsync(created.Token.Id, "me"));
        await _rig.Database.PutAsync(c => c.Execute("ALTER TABLE elsewhere RENAME TO tokens"));
        Assert.Single(_tokens.All);
        Assert.True(await _tokens.RevokeAsync(created.Token.Id, "me"));
    }

    [Fact]
    public async Task A_token_expires_to_the_second()
    {
        var created = await CreateAsync(expires: Sample.Start.AddSeconds(10));
        _rig.Clock.Advance(TimeSpan.FromSeconds(9.9));
        Assert.NotNull(_tokens.Authenticate(created.Secret));
        _rig.Clock.Advance(TimeSpan.FromSeconds(0.1));
        Assert.Null(_tokens.Authenticate(created.Secret));
    }

    [Fact]
    public async Task Its_last_use_is_noted_about_once_a_minute()
    {
        var created = await CreateAsync();
        for (var i = 0; i < 10; i++) _tokens.Authenticate(created.Secret);
        await _rig.SettledAsync();
        var writes = _rig.Database.Statistics.Writes;
        for (var i = 0; i < 10; i++) _tokens.Authenticate(created.Secret);
        await _rig.SettledAsync();
        Assert.Equal(writes + 1, _rig.Database.Statistics.Writes);
        _rig.Clock.Advance(TimeSpan.FromMinutes(2));
        _tokens.Authenticate(created.Secret);
        await RestartAsync();
        Assert.Equal(_rig.Clock.GetUtcNow(), _tokens.All[0].LastUsedAt);
    }

    [Fact]
    public async Task An_admin_whose_tokens_have_all_expired_is_not_locked_out()
    {
        await CreateAsync(Role.Admin, Sample.Start.AddDays(1));
        await CreateAsync(Role.Operator);
        Assert.True(_tokens.HasAdmin);
        _rig.Clock.Advance(TimeSpan.FromDays(1));
        Assert.False(_tokens.HasAdmin);
        // As 'brambled first-token' does, beside the daemon, which has loaded its tokens long ago.
        var beside = new TokenStore(_rig.Database, new EventLog(_rig.Database, _rig.Clock), _rig.Clock);
        Assert.False(beside.HasAdmin);
        var created = await beside.CreateAsync("first", Role.Admin, null, "brambled first-token");
        Assert.Equal(Role.Admin, _tokens.Authenticate(created.Secret)?.Role);
        Assert.True(_tokens.HasAdmin);
    }

    [Fact]
    public async Task The_first_token_that_is_made_beside_a_running_daemon_is_known_to_it()
    {
        var beside = new TokenStore(_rig.Database, new EventLog(_rig.Database, _rig.Clock), _rig.Clock);
        var created = await beside.CreateAsync("first", Role.Admin, null, "brambled first-token");
        Assert.NotNull(_tokens.Authenticate(created.Secret));
    }
}
