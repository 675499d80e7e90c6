using Bramble.Manager.Provisioning;

namespace Bramble.Manager.Tests.Provisioning;

public sealed class ServerSecretTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    private ServerSecret Open() => ServerSecret.Open(_scratch.Root);

    [Fact]
    public void A_credential_is_good_for_exactly_what_it_was_made_for()
    {
        var secret = Open();
        var credential = secret.Derive(CredentialKind.Session, 7, 1_700_000_000_000, "kernel-1");
        Assert.Equal(43, credential.Length);
        Assert.True(ServerSecret.TryReadClaim(credential, out var node, out var counter));
        Assert.Equal((7, 1_700_000_000_000), (node, counter));
        Assert.True(secret.Verify(credential, CredentialKind.Session, 7, 1_700_000_000_000, "kernel-1"));
        Assert.False(secret.Verify(credential, CredentialKind.Session, 7, 1_700_000_000_000, "kernel-2"));
        Assert.False(secret.Verify(credential, CredentialKind.Session, 7, 1_700_000_000_000));
        Assert.False(secret.Verify(credential, CredentialKind.Session, 8, 1_700_000_000_000, "kernel-1"));
        Assert.False(secret.Verify(credential, CredentialKind.Session, 7, 1_700_000_000_001, "kernel-1"));
    }

    [Fact]
    public void No_kind_passes_as_another()
    {
        var secret = Open();
        foreach (var made in Enum.GetValues<CredentialKind>())
            foreach (var asked in Enum.GetValues<CredentialKind>())
                Assert.Equal(made == asked, secret.Verify(secret.Derive(made, 1, 2), asked, 1, 2));
    }

    [Fact]
    public void A_credential_that_was_tampered_with_anywhere_is_refused()
    {
        var secret = Open();
        var credential = secret.Derive(CredentialKind.Node, 300, 4);
        for (var i = 0; i < credential.Length; i++)
        {
            var tampered = credential.ToCharArray();
            tampered[i] = tampered[i] == 'A' ? 'B' : 'A';
            var text = new string(tampered);
            // Whoever it claims to be now, it is not.
            if (ServerSecret.TryReadClaim(text, out var node, out var counter))
                Assert.False(secret.Verify(text, CredentialKind.Node, node, counter), $"character {i}");
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("short")]
    [InlineData("*******************************************")]
    [InlineData("                                           ")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\0")]
    [InlineData("ÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄÄ")]
    [InlineData("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public void What_is_no_credential_claims_nothing_and_breaks_nothing(string text)
    {
        Assert.False(ServerSecret.TryReadClaim(text, out _, out _));
        Assert.False(Open().Verify(text, CredentialKind.Node, 0, 0));
    }

    [Fact]
    public void The_key_is_its_owners_alone_and_survives_a_restart()
    {
        var credential = Open().Derive(CredentialKind.Node, 1, 1);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_scratch["secret.key"]));
        Assert.True(Open().Verify(credential, CredentialKind.Node, 1, 1));
    }

    [Fact]
    public void Another_manager_made_other_credentials()
    {
        using var other = new Scratch();
        Assert.False(ServerSecret.Open(other.Root).Verify(
            Open().Derive(CredentialKind.Node, 1, 1), CredentialKind.Node, 1, 1));
    }

    [Fact]
    public void A_damaged_key_is_named_and_not_replaced()
    {
        File.WriteAllText(_scratch["secret.key"], "half");
        Assert.Contains($"{_scratch["secret.key"]} must hold 32 octets and holds 4",
            Assert.Throws<InvalidDataException>(Open).Message, StringComparison.Ordinal);
        Assert.Equal("half", File.ReadAllText(_scratch["secret.key"]));
    }

    [Fact]
    public void A_start_that_was_cut_short_leaves_nothing_in_the_way()
    {
        File.WriteAllText(_scratch["secret.key.new"], "half");
        Open();
        Assert.False(File.Exists(_scratch["secret.key.new"]));
    }
}
