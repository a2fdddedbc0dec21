/* libcrypto.h - what is used of libcrypto, loaded when it is needed
 *
 * For crypto.c and aead_evp.c alone.
 */
#ifndef NC_MESH_LIBCRYPTO_H
#define NC_MESH_LIBCRYPTO_H

#include <openssl/crypto.h>
#include <openssl/evp.h>

/* Its functions, under their own names. */
struct libcrypto {
	__typeof__(OPENSSL_init_crypto) *OPENSSL_init_crypto;
	__typeof__(OpenSSL_version) *OpenSSL_version;
	__typeof__(EVP_MAC_fetch) *EVP_MAC_fetch;
	__typeof__(EVP_MAC_free) *EVP_MAC_free;
	__typeof__(EVP_MAC_CTX_new) *EVP_MAC_CTX_new;
	__typeof__(EVP_MAC_CTX_free) *EVP_MAC_CTX_free;
	__typeof__(EVP_MAC_init) *EVP_MAC_init;
	__typeof__(EVP_MAC_update) *EVP_MAC_update;
	__typeof__(EVP_MAC_final) *EVP_MAC_final;
	__typeof__(EVP_CIPHER_fetch) *EVP_CIPHER_fetch;
	__typeof__(EVP_CIPHER_free) *EVP_CIPHER_free;
	__typeof__(EVP_CIPHER_CTX_new) *EVP_CIPHER_CTX_new;
	__typeof__(EVP_CIPHER_CTX_free) *EVP_CIPHER_CTX_free;
	__typeof__(EVP_CIPHER_CTX_ctrl) *EVP_CIPHER_CTX_ctrl;
	__typeof__(EVP_CipherInit_ex) *EVP_CipherInit_ex;
	__typeof__(EVP_CipherUpdate) *EVP_CipherUpdate;
	__typeof__(EVP_CipherFinal_ex) *EVP_CipherFinal_ex;
};

#endif
